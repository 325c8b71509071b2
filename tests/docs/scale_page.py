"""The page of scale: what a factory needs for a number of rows a month, computed from measured costs.

    python -m tests.docs.scale_page 250000       the table for other numbers of rows a month

The calls and tokens of a problem are those that `chimera check plan` assumes for the plan `forever`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10, sqrt

from schemas.config.models_config import Endpoint
from schemas.config.plan import Plan
from schemas.flow import DEFAULT_PARTITIONS
from services.cli.check.forecast import Basis, assumed
from services.cli.common.options import shipped
from services.verifier.settings import Settings as Verifier
from shared.config.plan_loader import load_plan
from tests.docs.markdown import table

SIZES = (10_000, 1_000_000, 100_000_000)
"""Rows a month."""
MONTH_S = 30 * 86_400
DEVICE_TOKENS_S, DEVICE_STREAMS = 11_109, 256
"""vLLM on one H100, a model of 4 billion parameters, completions of 2,048 tokens (docs/how-to/evaluation.md)."""
CPU_MS = {
    "Kafka": 7.6, "verifier-a": 5.8, "verifier-b": 5.8, "aggregator": 5.8, "synthesis": 5.0, "panel": 3.7,
    "problem_writer": 3.5, "answer_checker": 3.1, "probe": 2.3, "screening": 2.0, "Valkey": 1.0,
}  # fmt: skip
"""A problem in the four-stage job on idle cores (docs/explanation/performance.md)."""
PLANNER_MS, PLANNER_MS_EACH = 1.1, 0.0004
"""An event at 1,179 topics, and what each problem in progress adds (`make bench ARGS="--only planner"`)."""
BUSY = 0.7
"""Share of a core that a process may use on average."""
KEPT_B, TRANSIT_B, DATASET_B = 13_000, 22_000, 10_000
"""A row with a short solution (docs/reference/storage.md)."""
TEXT_B = 100_000 / 30_000
"""A token of a solution, before compression; estimated there."""
COPIES = 3
INDEX_B, MARKERS_B, MARKER_DAYS = 1_700, 2_000, 7
"""A problem in Valkey: in the index of near duplicates for ever (services/screening), its outcomes for seven days
(docs/how-to/operations.md)."""
PANEL_B, ID_B = 400, 150
"""Memory for a decided problem in the panel (services/panel), and for an id in the aggregator (services/aggregator)."""
FILE_B = 100e6
"""A large file of the dataset; beside them at most SMALL_FILES small ones (docs/how-to/dataset.md)."""
SMALL_FILES = 64 + 32


@dataclass(frozen=True)
class Month:
    """What a factory needs for `rows` a month, every day the same."""

    rows: float
    plan: Plan
    basis: Basis

    @cached_property
    def problems(self) -> float:
        return self.rows / self.basis.rows

    @cached_property
    def per_s(self) -> float:
        """Problems a second."""
        return self.problems / MONTH_S

    def call_s(self, role: str) -> float:
        """Seconds of a call: its answer at the speed of one of many streams."""
        return (self.basis.profiles[role].completion_tokens or 0) / (DEVICE_TOKENS_S / DEVICE_STREAMS)

    def in_flight(self, role: str) -> float:
        """Calls in flight, by Little's law."""
        return self.per_s * self.basis.profiles[role].calls * self.call_s(role)

    @cached_property
    def problem_s(self) -> float:
        """Seconds of a problem: its calls one after the other, the verifiers side by side."""
        roles = [role for role in self.basis.profiles if role not in ("judge", "verifier_b")]
        return sum(self.basis.profiles[role].calls * self.call_s(role) for role in roles)

    @property
    def in_progress(self) -> float:
        return self.per_s * self.problem_s

    def processes(self, service: str, role: str | None = None, slots: int = 1) -> int:
        """Processes of a service: enough slots for its calls, and enough cores."""
        return max(
            1,
            ceil(self.in_flight(role) / slots) if role else 0,
            ceil(self.per_s * CPU_MS[service] / 1000 / BUSY),
        )

    @property
    def verifiers(self) -> int:
        return self.processes("verifier-a", "verifier_a", Verifier.model_fields["in_flight"].default)

    @property
    def synthesis(self) -> int:
        return self.processes("synthesis", "solver", Endpoint.model_fields["max_concurrency"].default)

    def tokens(self, role: str) -> float:
        """Completion tokens."""
        profile = self.basis.profiles[role]
        return self.problems * profile.calls * (profile.completion_tokens or 0)

    def devices(self, role: str) -> float:
        return self.tokens(role) / MONTH_S / DEVICE_TOKENS_S

    @property
    def solution_b(self) -> float:
        return TEXT_B * (self.basis.profiles["solver"].completion_tokens or 0)

    @property
    def dataset_b(self) -> float:
        return self.rows * (DATASET_B + self.solution_b)

    @property
    def planner(self) -> float:
        """Share of a core."""
        return self.per_s * (PLANNER_MS + PLANNER_MS_EACH * self.in_progress) / 1000


def month(rows: float) -> Month:
    """Return the month with the shipped plan without an end."""
    plan = load_plan(shipped()["forever"])
    return Month(rows, plan, assumed(plan))


def approximate(value: float, unit: str = "") -> str:
    """Format with two digits that count."""
    if value >= 10:
        value = round(value, 1 - floor(log10(value)))
        text = f"{value:,.0f}"
    else:
        text = f"{value:.2g}"
    return f"{text} {unit}".strip()


def data(value: float) -> str:
    """Format bytes."""
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if value >= size:
            return approximate(value / size, unit)
    return approximate(value / 1e6, "MB")


def tokens(value: float) -> str:
    """Format tokens."""
    return approximate(value / 1e9, "billion")


ROWS: dict[str, Callable[[Month], str]] = {
    "problems": lambda one: approximate(one.problems),
    "problems a second": lambda one: approximate(one.per_s),
    "problems in progress (`in_progress`)": lambda one: approximate(one.in_progress),
    "calls in flight: writer": lambda one: approximate(one.in_flight("writer")),
    "calls in flight: each verifier": lambda one: approximate(one.in_flight("verifier_a")),
    "calls in flight: solver": lambda one: approximate(one.in_flight("solver")),
    "processes of each verifier": lambda one: approximate(one.verifiers),
    "processes of `synthesis`": lambda one: approximate(one.synthesis),
    "processes of `panel`, of `answer_checker`": lambda one: (
        f"{one.processes('panel')}, {one.processes('answer_checker')}"
    ),
    "partitions of a Kafka topic": lambda one: approximate(max(DEFAULT_PARTITIONS, one.verifiers, one.synthesis)),
    "cores for services, Kafka and Valkey": lambda one: approximate(
        one.per_s * sum(CPU_MS.values()) / 1000 / BUSY + one.planner / BUSY
    ),
    "the planner's share of a core": lambda one: approximate(100 * one.planner, "%"),
    "tokens of answers: writer": lambda one: tokens(one.tokens("writer")),
    "tokens of answers: each verifier": lambda one: tokens(one.tokens("verifier_a")),
    "tokens of answers: adjudicator": lambda one: tokens(one.tokens("adjudicator")),
    "tokens of answers: solver": lambda one: tokens(one.tokens("solver")),
    "GPUs: writer": lambda one: approximate(one.devices("writer")),
    "GPUs: each verifier": lambda one: approximate(one.devices("verifier_a")),
    "GPUs: adjudicator": lambda one: approximate(one.devices("adjudicator")),
    "GPUs: solver": lambda one: approximate(one.devices("solver")),
    f"Kafka's disk, kept, {COPIES} copies": lambda one: data(COPIES * one.rows * (KEPT_B + one.solution_b)),
    f"Kafka's disk, in transit, a day, {COPIES} copies": lambda one: data(
        COPIES * one.rows / 30 * (TRANSIT_B + one.solution_b)
    ),
    "dataset": lambda one: data(one.dataset_b),
    "files of the dataset, at most": lambda one: approximate(SMALL_FILES + one.dataset_b / FILE_B),
    "Valkey: index of near duplicates": lambda one: data(one.problems * INDEX_B),
    f"Valkey: outcomes of {MARKER_DAYS} days": lambda one: data(one.problems * MARKER_DAYS / 30 * MARKERS_B),
    "memory of all panels for decided problems": lambda one: data(one.problems * PANEL_B),
    "memory of the aggregator for ids": lambda one: data(one.problems * ID_B),
}


def sizes(months: Sequence[Month]) -> str:
    """Return the table of needs."""
    heads = ("a month", *(f"{one.rows:,.0f} rows" for one in months))
    return table(heads, ((name, *(show(one) for one in months)) for name, show in ROWS.items()))


def caps() -> str:
    """Return the table of the settings and parts that limit one factory, with the rows a month that they allow."""
    one = month(1)
    rows_a_month = MONTH_S * one.basis.rows
    verifying_s = one.basis.profiles["verifier_a"].calls * one.call_s("verifier_a")
    verifier_slots = DEFAULT_PARTITIONS * int(Verifier.model_fields["in_flight"].default)
    each = PLANNER_MS_EACH * one.problem_s
    planner_per_s = (sqrt(PLANNER_MS**2 + 4000 * BUSY * each) - PLANNER_MS) / (2 * each)
    default = Plan.model_fields["in_progress"].default
    limits = {
        f"`in_progress: {default}`, the default": (default / one.problem_s, "raise it in the plan"),
        f"`in_progress: {one.plan.in_progress}`, the plan `forever`": (
            one.plan.in_progress / one.problem_s,
            "the same",
        ),
        f"{DEFAULT_PARTITIONS} partitions: as many processes of a verifier, {verifier_slots} calls in flight": (
            verifier_slots / verifying_s,
            "more partitions (`chimera kafka create --partitions`), or more `CHIMERA_IN_FLIGHT`",
        ),
        "the planner, one active process": (planner_per_s, "several factories, each with some of the subjects"),
        "the aggregator, one active process": (
            1000 * BUSY / CPU_MS["aggregator"],
            "several factories; their exports can be joined",
        ),
    }
    heads = ("limit", "rows a month", "beyond it")
    return table(heads, ((name, approximate(per_s * rows_a_month), beyond) for name, (per_s, beyond) in limits.items()))


def scale_page() -> str:
    """Render the page."""
    return HEAD + sizes([month(rows) for rows in SIZES]) + LIMITS + caps() + END


HEAD = """# What a factory needs

For 10 thousand, 1 million and 100 million rows a month, made evenly. Computed from measured costs; for another
number:

    python -m tests.docs.scale_page 250000

Calls and tokens of a problem are those that `chimera check plan` assumes for the plan `forever`: every second
problem becomes a row, and a solution has 17,000 tokens. With a dataset of 20 problems or more, `chimera check plan`
shows yours. A GPU writes 11,109 tokens a second in 256 streams: measured with a model of 4 billion parameters on an
H100. Reckon with the figure of your own server: a dense model of 32 billion needs some eight times as many GPUs
(assumed, in proportion). Prompts are short beside the answers and are left out.

"""
LIMITS = """
Kafka, dataset, index and memory are what one month adds. The panel, the aggregator and the index of near duplicates
keep something of every problem: after a year it is twelve times as much. Texts are counted before compression.

## What limits one factory

"""
END = """
Memory ends a factory before its processors do. At 100 million rows a month the index of near duplicates is larger
than the memory of most machines after one month, and it has to be in one Valkey; the aggregator holds the ids of
all rows. Several factories, each with subjects of its own, can share brokers and models; each then finds duplicates
of its own.

Below that, models limit everything: at 1 million rows a month services, Kafka and Valkey need a tenth of a core,
and the models five GPUs, or some forty with 32 billion parameters.
"""


if __name__ == "__main__":
    print(sizes([month(float(rows)) for rows in sys.argv[1:]] or [month(rows) for rows in SIZES]), end="")  # noqa: T201
