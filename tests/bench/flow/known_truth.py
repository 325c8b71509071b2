"""Compares the whole factory with belief's own forecast, in a hard world whose truth the simulator knows.

Real services on a real broker verify problems under a plan with a target for wrong keys, and audit accepted ones. The
bench's policy in the same world forecasts how many are accepted, how many of these have wrong keys, and how many calls
a problem takes; the simulator knows the true share of wrong keys beside the estimated one.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.config.plan import Plan, Subject
from schemas.config.policies import Audits, Verification
from schemas.events import ProblemRequested
from schemas.flow import SERVICES
from schemas.identity import factory_id
from schemas.item import Item, Topic
from services.cli import wrong_keys
from services.cli.common.dataset_location import dataset_in
from services.cli.run.quiescence import is_drained
from services.simulator.answers import compare
from services.simulator.bank import SUBJECTS, Bank
from shared.dataset.reader import Dataset, open_audits
from shared.dataset.reports.wrong_keys import estimate_wrong_keys
from shared.stats.guessing import guess_probability
from shared.stats.item_belief import DEFAULTS, is_complete
from shared.stats.view_thresholds import evidence_limits, view_thresholds
from tests.bench.belief.hard_policies import outcome
from tests.bench.belief.hard_world import World, cases
from tests.bench.belief.requested_evidence import RequestsEvidence
from tests.bench.flow.factory import FACTORY, factory
from tests.support.kafka_world import until

WORLD = World(wrong_keys=0.2, error_agreement=0.3, catch=0.5, adjudicator=0.8)
FORECAST = 12_000
"""Problems that the bench's policy verifies."""
ALL_TIERS = ("verified", "plausible", "nodded")
PLAN = Plan(
    name="known-truth",
    rows=10**6,
    subjects={name: Subject() for name in SUBJECTS},
    verification=Verification(
        target_wrong={"sft": 0.02}, max_votes=8, adjudications=4, accept={"sft": ALL_TIERS, "rl": ALL_TIERS}
    ),
    audits=Audits(rate=0.5),
    variants=10**6,
)
SIMULATOR = {
    "WRONG_KEYS": str(WORLD.wrong_keys),
    "KEY_OVERLAP": "0.5",
    "ERROR_AGREEMENT": str(WORLD.error_agreement),
    "JUDGE_CATCH": str(WORLD.catch),
    "ADJUDICATOR_RIGHT": str(WORLD.adjudicator),
    "SOLVE_RATES": "[0.6, 1.0]",
    "MALFORMED": "0",
    "LARGE_BANK": "true",
}
BANK = Bank(0, large=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the problems."""

    decided: list[tuple[Item, bool]]
    """Items that both verifiers judged, each with whether the panel accepted it."""
    rows: list[dict[str, Any]]
    estimated: dict[str, Any]
    """The share of wrong keys, as `chimera audit` prints it."""


async def measure(problems: int) -> dict[str, Any]:
    """Verify this number of problems end to end; compare with the forecast and with the truth."""
    ended = await run(problems)
    comparable = [(item, accepted) for item, accepted in ended.decided if _is_comparable(item)]
    return {
        "problems": len(ended.decided),
        "comparable": len(comparable),
        "realised": _realised(comparable),
        "forecast": _forecast(),
        "rows": len(ended.rows),
        "wrong_rows": fmean(not is_right(row["problem"], row["answer"]) for row in ended.rows),
        "wrong_keys": fmean(not is_right(item.written.statement, item.written.answer) for item, _ in ended.decided),
        "estimated": ended.estimated,
    }


async def run(problems: int) -> Ended:
    """Verify and audit this number of problems with every service but the planner."""
    services = [service.name for service in SERVICES if service.name != "planner"]
    with tempfile.TemporaryDirectory() as folder:
        stack_folder = Path(folder) / "stack"
        async with factory(stack_folder, PLAN, {}, services, SIMULATOR) as (_, world):
            requests = [*_requests(problems)]
            await world.publish(requests)
            ids = {request.item.id for request in requests}

            async def ended() -> bool:
                curated, rejected = await world.events("sample.curated"), await world.events("problem.rejected")
                ends = {one.sample_id for one in curated} | {one.item.id for one in rejected}
                return ids <= ends and await is_drained(world.access, FACTORY, services)

            await until(ended, f"{problems} ends", within_s=4 * problems + 120, every_s=3.0)
            decided = [
                (event.item, name == "problem.accepted")
                for name in ("problem.accepted", "problem.rejected")
                for event in await world.events(name)
                if event.item.id in ids and is_complete(event.item.verdicts) and event.cause.role == "panel"
            ]
        dataset = Dataset.open(dataset_in(stack_folder))
        estimated = await asyncio.to_thread(estimate_wrong_keys, dataset, open_audits(dataset_in(stack_folder)))
        return Ended(decided, [*dataset.rows.columns("problem", "answer")], estimated)


def _requests(count: int) -> Iterator[ProblemRequested]:
    for number in range(count):
        topic = Topic(subject=SUBJECTS[number % len(SUBJECTS)], field="f", subfield="s", name="t")
        about: dict[str, Any] = {"plan": PLAN.name, "topic": topic, "answer_type": "number"}
        yield ProblemRequested.root(topic.id(factory_id(FACTORY)), "planner", number, **about)


def is_right(statement: str, key: str) -> bool:
    """Whether a key is the true answer."""
    return compare(BANK.truth(statement) or "", key) == "yes"


def _is_comparable(item: Item) -> bool:
    """Whether the forecast's world has such keys: no guess hits them, and rules compare other answers with each other.

    Two words that differ may mean the same, so the panel takes them for one rival until a verifier has compared them.
    """
    key = item.written
    return not guess_probability(key.answer) and key.answer_type in ("number", "tuple", "set")


def _realised(decided: Sequence[tuple[Item, bool]]) -> dict[str, tuple[float, float]]:
    """Figures with their standard errors."""
    accepted = [item for item, is_accepted in decided if is_accepted]
    wrong = [not is_right(item.written.statement, item.written.answer) for item in accepted]
    calls = [sum(len(verdict.votes) for verdict in item.verdicts) + len(item.adjudications) for item, _ in decided]
    return {
        "accepted": _share([is_accepted for _, is_accepted in decided]),
        "wrong_keys": _share(wrong),
        "calls_per_problem": (fmean(calls), stdev(calls) / sqrt(len(calls))),
    }


def _share(values: Sequence[bool]) -> tuple[float, float]:
    share = fmean(values)
    return share, sqrt(share * (1 - share) / len(values))


def _forecast() -> dict[str, float]:
    """The bench's policy in the same world, with the parameters and the threshold of this plan."""
    limits, threshold = evidence_limits(PLAN.verification), view_thresholds(PLAN.verification, DEFAULTS)["sft"]
    drawn = cases(WORLD, FORECAST, limits.max_votes, "known truth")
    found = outcome(drawn, list(map(RequestsEvidence(DEFAULTS, threshold, limits, says_neither=True), drawn)))
    return {
        "accepted": found.accepted / FORECAST,
        "wrong_keys": found.wrong_keys,
        "calls_per_problem": found.calls_per_problem,
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print what came out beside the forecast, what `chimera audit` says of wrong keys, and their true share."""
    table = Table(
        "", "realised", "standard error", "forecast",
        title=f"{figures['problems']} problems end to end, {figures['comparable']} of them comparable",
    )  # fmt: skip
    for name, (value, error) in figures["realised"].items():
        table.add_row(name.replace("_", " "), f"{value:.3f}", f"{error:.3f}", f"{figures['forecast'][name]:.3f}")
    console.print(table)
    wrong_keys.render(figures["estimated"])
    console.print(f"true: {figures['wrong_rows']:.1%} of the rows, {figures['wrong_keys']:.1%} of the written problems")
