"""`chimera probe`: stored problems through the probe again, for another model that will be trained."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rich.console import Console

from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from schemas.events import Event, ProblemAccepted
from schemas.events.base import Cause
from schemas.identity import content_hash, derive
from schemas.run_tag import RunTag
from schemas.spend import sum_or_none
from services.cli.check.forecast import CallProfile, Need, assumed, estimate_calls
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing
from services.cli.evidence.figures import difference, mean_interval, spent
from services.cli.evidence.item_ends import ItemEnd
from services.cli.evidence.stored_items import Selection, StoredItem
from services.cli.evidence.stored_run import StoredRun
from services.cli.evidence.working_stack import is_running
from shared.dataset import open_probings
from shared.dataset.query import id_in, sql_string
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.kafka.codec import encode

BASE = "base"
ATTEMPTS = 4
"""Attempts of each problem, if neither the command nor the plan says how many."""


def base(models: ModelsConfig) -> str:
    """Return the model that will be trained. Raises Refusal when the models file has none."""
    if (role := models.assigned().get(BASE)) is None:
        raise Refusal("the models have no role `base`", "Name the model that will be trained as `base` in --models")
    return role.model


def check_probe(config: RunConfig, bootstrap: str) -> None:
    """Raise Refusal when the stack that runs in the folder has no probe."""
    if not bootstrap and is_running(config.directory, "") and not config.plan.solving.probe_attempts:
        raise Refusal(
            f"the plan that runs in {config.directory} has no probe", "Set solving.probe_attempts, or stop it first"
        )


def with_attempts(plan: Plan, attempts: int | None) -> Plan:
    """Return the plan of a run: it rejects nothing, and tries as often as the command or the plan says."""
    number = attempts or plan.solving.probe_attempts or ATTEMPTS
    solving = plan.solving.model_copy(update={"probe_attempts": number, "max_base_pass": 1.0, "harder": 0})
    return plan.model_copy(update={"solving": solving})


def run_name(models: ModelsConfig, selection: Selection, attempts: int, leaves: Sequence[str]) -> str:
    """Return the name of a run: the same model on the same selection resumes it."""
    return content_hash(repr((base(models), selection.where, attempts, sorted(leaves))))[:8]


class Reprobe(StoredRun):
    """One run of a model."""

    roles = (BASE,)
    services = ("probe", "aggregator")

    def __init__(
        self,
        config: RunConfig,
        selection: Selection,
        run: str,
        console: Console,
        *,
        factory: str,
        leaves: Sequence[str] = (),
    ) -> None:
        super().__init__(config, selection, run, console, factory)
        self._leaves = tuple(leaves)

    def estimate(self, items: int) -> tuple[Need, ...]:
        """Estimate the model calls: as many of a problem as its attempts."""
        config = self._config
        basis = measured_costs(config.dataset, config.plan, simulated=config.simulated) or assumed(config.plan)
        known = basis.profiles.get(BASE) or assumed(config.plan).profiles[BASE]
        profile = CallProfile(config.plan.solving.probe_attempts, known.prompt_tokens, known.completion_tokens)
        return estimate_calls(
            items, replace(basis, profiles={BASE: profile}), config.models or models_config.simulated(0), self.roles
        )

    def _copy_id(self, one: StoredItem) -> str:
        return str(derive(one.item.id, f"probe/{self.run}"))

    def _made_by(self, one: StoredItem) -> frozenset[tuple[str, str]]:
        """No row names the model that it was probed for, so none is refused as the same."""
        return frozenset()

    def _names(self, models: ModelsConfig) -> frozenset[tuple[str, str]]:
        return frozenset({(BASE, base(models))})

    def _outgoing(self) -> Iterator[Outgoing]:
        for one in self._select():
            known = {"admission": one.admission, "difficulty": one.difficulty, "leaves": self._leaves or None}
            believed = one.item.tier is not None
            tag = RunTag(run=self.run, kind="probe", problem=one.item.id, believed=believed, **known)
            copy = one.item.with_(id=UUID(self._copy_id(one)), attempts=(), lineage=(), verdicts=(), belief=None)
            parent = Event(id=copy.id, cause=Cause(parent=one.item.id, role="cli"))
            event = ProblemAccepted.of(parent, "cli", copy)
            yield Outgoing(event.key, encode(event, f"{self._factory}/cli", tag, addressee="probe"))

    def _find_ended(self, ids: Iterable[str]) -> dict[str, ItemEnd]:
        table = open_probings(self._config.dataset)
        if table is None:
            return {}
        where = f"run = {sql_string(self.run)} and {id_in(ids)}"
        lines = table.columns("id", "difficulty", "tokens", "cost", where=where)
        return {
            line["id"]: ItemEnd(_end(line["difficulty"]), tokens=line["tokens"], cost=line["cost"]) for line in lines
        }

    def _describe_ends(self, state: FeedState) -> str:
        return f"{sum(one.end == 'always solved' for one in state.ended.values()):,} always solved"


def _end(difficulty: float | None) -> str:
    return "not graded" if difficulty is None else "always solved" if difficulty == 0 else "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The numbers of a run. Every row is one of `always`, `sometimes`, `never` and `unknown`."""

    run: str
    rows: int
    always: int
    sometimes: int
    never: int
    unknown: int
    left: int
    """Rows that left a view because they were always solved."""
    missed: float | None
    """Mean share of the graded attempts that missed."""
    difference: float | None
    """Mean of that share now − before, over the rows where both are known, with its 95 % interval."""
    low: float | None
    high: float | None
    paired: int
    tokens: int | None
    cost: float | None


def report(dataset: Location, run: str) -> ProbeReport | None:
    """Return the report of a run; `None` when no row of it has ended."""
    table = open_probings(dataset)
    columns = ("difficulty_before", "difficulty", "left", "tokens", "cost")
    lines = [] if table is None else list(table.columns(*columns, where=f"run = {sql_string(run)}"))
    if not lines:
        return None
    measured = [line["difficulty"] for line in lines if line["difficulty"] is not None]
    pairs = [line for line in lines if line["difficulty"] is not None and line["difficulty_before"] is not None]
    mean, half = mean_interval([line["difficulty"] - line["difficulty_before"] for line in pairs])
    return ProbeReport(
        run=run,
        rows=len(lines),
        always=measured.count(0.0),
        sometimes=sum(0 < one < 1 for one in measured),
        never=measured.count(1.0),
        unknown=len(lines) - len(measured),
        left=sum(bool(line["left"]) for line in lines),
        missed=mean_interval(measured)[0],
        difference=mean,
        low=None if mean is None or half is None else mean - half,
        high=None if mean is None or half is None else mean + half,
        paired=len(pairs),
        tokens=sum_or_none(line["tokens"] for line in lines),
        cost=sum_or_none(line["cost"] for line in lines),
    )


def describe_report(found: ProbeReport) -> Iterator[str]:
    """Yield the report in lines for a person."""
    yield (
        f"Run {found.run}: {found.rows:,} rows = {found.always:,} always solved + {found.sometimes:,} sometimes"
        f" + {found.never:,} never + {found.unknown:,} not graded"
    )
    if found.missed is not None:
        change = difference(found.difference, found.low, found.high)
        on = f"; {change} on {found.paired:,} rows" if change else ""
        yield f"missed    {found.missed:.1%} of the attempts{on}"
    yield f"rows      {found.left:,} left a view"
    yield f"cost      {spent(found.tokens, found.cost) or 'unknown'}"
