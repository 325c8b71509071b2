"""`chimera resolve`: stored problems through another solver, without writing or verifying them again.

A row gets the new solutions beside its own; the plan's `solving.choose` takes one. A rejected problem that a reverify
believes becomes a problem of its own, which is solved as any other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from uuid import UUID

from rich.console import Console

from schemas.belief import Belief
from schemas.config.models_config import ModelsConfig
from schemas.events import Event, SolutionRequested
from schemas.events.base import Cause
from schemas.identity import content_hash, derive
from schemas.item import Item
from schemas.run_tag import RunTag
from services.auditor.inject import ORIGINAL_CALLS
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing
from services.cli.evidence.item_ends import ItemEnd, find_ends
from services.cli.evidence.stored_items import Selection, StoredItem, select_items
from services.cli.evidence.stored_run import StoredRun
from services.panel.handler import BELIEF_AGAIN
from shared.dataset import open_resolutions
from shared.dataset.query import id_in, sql_string
from shared.kafka.codec import encode
from shared.stats.item_belief import DEFAULTS, is_complete, item_belief
from shared.stats.view_thresholds import view_thresholds

SOLVER = "solver"


def solver(models: ModelsConfig) -> str:
    """Return the solver of a models file."""
    return models.assigned()[SOLVER].model


def run_name(models: ModelsConfig, selection: Selection) -> str:
    """Return the name of a run: the same solver on the same selection resumes it."""
    return content_hash(repr((solver(models), selection.rejects, selection.where)))[:8]


class Resolve(StoredRun):
    """One run of a solver."""

    roles = (SOLVER,)
    services = ("synthesis", "answer_checker", "aggregator")

    def __init__(self, config: RunConfig, selection: Selection, run: str, console: Console, *, factory: str) -> None:
        super().__init__(config, selection, run, console, factory)
        verification = config.plan.verification
        self._thresholds = view_thresholds(verification, DEFAULTS)
        self._thresholds_again = self._thresholds or dict.fromkeys(verification.accept, BELIEF_AGAIN)

    def _select(self) -> Iterator[StoredItem]:
        """Rejected items are only those that a reverify believes."""
        every = select_items(self._config.dataset, replace(self._selection, limit=None))
        believed = (one for one in every if one.admission is not None or one.item.tier)
        return islice(believed, self._selection.limit)

    def _copy_id(self, one: StoredItem) -> str:
        """Return the id of a copy of a row in this run, or of the problem that a rejected one becomes, in any run."""
        return str(derive(one.item.id, "resolve" if self._selection.rejects else f"resolve/{self.run}"))

    def _made_by(self, one: StoredItem) -> frozenset[tuple[str, str]]:
        return frozenset({(SOLVER, one.solver)} if one.solver else ())

    def _names(self, models: ModelsConfig) -> frozenset[tuple[str, str]]:
        return frozenset({(SOLVER, solver(models))})

    def _outgoing(self) -> Iterator[Outgoing]:
        source = f"{self._factory}/cli"
        for one in self._select():
            belief, id_ = self._belief(one), UUID(self._copy_id(one))
            if one.admission is None:
                event, tag = _requested(one.item, reopened(one.item, id_).with_(belief=belief)), None
            else:
                copy = one.item.with_(id=id_, attempts=(), lineage=(), belief=belief)
                event, tag = _requested(one.item, copy), self._tag(one)
            yield Outgoing(event.key, encode(event, source, tag))

    def _tag(self, one: StoredItem) -> RunTag:
        known = {"admission": one.admission, "correct": one.correct}
        return RunTag(run=self.run, kind="resolve", problem=one.item.id, believed=one.item.tier is not None, **known)

    def _belief(self, one: StoredItem) -> Belief | None:
        """Return the belief in the key, with what each view needs."""
        if one.item.belief:
            return one.item.belief
        if not is_complete(one.item.verdicts):
            return None
        thresholds = self._thresholds_again if one.is_reverified else self._thresholds
        return item_belief(
            one.item.verdicts, one.item.written, DEFAULTS, thresholds, adjudications=one.item.adjudications
        )

    def _find_ended(self, ids: Iterable[str]) -> dict[str, ItemEnd]:
        if self._selection.rejects:
            return find_ends(self._config.dataset, ids)
        table = open_resolutions(self._config.dataset)
        if table is None:
            return {}
        columns = ("id", "correct", "disputed", "tokens", "cost")
        lines = table.columns(*columns, where=f"run = {sql_string(self.run)} and {id_in(ids)}")
        return {
            line["id"]: ItemEnd(_OUTCOMES[line["correct"]], None, line["disputed"], line["tokens"], line["cost"])
            for line in lines
        }

    def _describe_ends(self, state: FeedState) -> str:
        return ", ".join(f"{count:,} {end}" for end, count in count_ends(state.ended).items()) or "none has ended"


_OUTCOMES = {True: "hit the key", False: "missed the key", None: "not comparable"}


def count_ends(ended: Mapping[str, ItemEnd]) -> dict[str, int]:
    """Count items by how they ended, the most frequent first."""
    return dict(Counter(map(str, ended.values())).most_common())


def reopened(item: Item, id_: UUID) -> Item:
    """Return a problem that ended as one of its own, with its evidence. Its calls were paid for already."""
    steps = (step.with_(calls=tuple(call.with_(**ORIGINAL_CALLS) for call in step.calls)) for step in item.lineage)
    return item.with_(id=id_, attempts=(), lineage=tuple(steps))


def _requested(stored: Item, copy: Item) -> SolutionRequested:
    return SolutionRequested.of(Event(id=copy.id, cause=Cause(parent=stored.id, role="cli")), "cli", copy)
