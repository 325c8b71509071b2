"""Stored items with the evidence of all runs on them, and their copies that begin at problem.screened."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from deltalake.exceptions import DeltaError
from pydantic import TypeAdapter

from schemas.events import Event, ProblemDrafted, ProblemScreened
from schemas.events.base import Cause
from schemas.identity import derive
from schemas.item import Item, Step, Verdict
from schemas.run_tag import RunTag
from services.auditor.inject import screened, writer_calls
from shared.dataset import Dataset, open_reverifications
from shared.dataset.build import ITEM_COLUMNS, columns_to_item
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.stats.item_belief import complete_belief, is_complete

_VERDICTS = TypeAdapter(tuple[Verdict, ...])
_STEPS = TypeAdapter(tuple[Step, ...])


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stored items a run takes."""

    rejects: bool = False
    """Rejected items that both verifiers have judged, instead of rows."""
    where: str = "true"
    """SQL condition on the columns of rows, or of the ledger."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item of the dataset, with the verdicts of earlier runs that moved rows. Its tier is `None` if not accepted."""

    item: Item
    admission: str | None
    """`None` for a rejected item."""
    correct: bool | None = None
    """Whether the row's solution agrees with the key; `None`: unknown, or no row."""
    solver: str | None = None
    """Model of the row's solution."""
    difficulty: float | None = None
    """The row's difficulty; `None`: unknown, or no row."""
    is_reverified: bool = False
    """Whether its tier is that of a later run."""

    @property
    def models(self) -> frozenset[tuple[str, str]]:
        """The verifiers that judged it last, with their models."""
        return frozenset((verdict.role, verdict.model) for verdict in self.item.verdicts)

    def copy_id(self, run: str) -> str:
        """Return the id of the copy for a run."""
        return str(derive(self.item.id, f"reverify/{run}"))

    def copy_for(self, run: str, *, compare: bool) -> tuple[ProblemScreened, RunTag]:
        """Return the event that begins its verification in a run, and the tag of all its records."""
        item, belief = self.item, complete_belief(self.item)
        copy = Item(
            id=UUID(self.copy_id(run)),
            plan=item.plan,
            topic=item.topic,
            problem=item.problem,
            verdicts=item.verdicts,
            lineage=tuple(step.with_(calls=()) for step in item.lineage if step.adjudication),
        )
        request = Event(id=copy.id, cause=Cause(parent=item.id, role="cli"))
        drafted = ProblemDrafted.of(request, "problem_writer", copy, writer_calls(item))
        tag = RunTag(
            run=run,
            problem=item.id,
            compare=compare,
            votes={verdict.role: len(verdict.votes) for verdict in item.verdicts},
            believed=self.admission is not None,
            admission=self.admission,
            belief=belief and belief.key,
        )
        return screened(drafted), tag


def select_items(dataset: Location, selection: Selection) -> Iterator[StoredItem]:
    """Yield the selected items. Raises Refusal when the condition is not valid SQL on the columns."""
    opened = Dataset.open(dataset)
    evidence = _later_evidence(dataset)
    try:
        items = _rejected(opened, selection) if selection.rejects else _rows(opened, selection)
        for number, one in enumerate(items):
            if selection.limit is not None and number >= selection.limit:
                return
            later = evidence.get(one.item.id)
            yield replace(one, item=later.added_to(one.item), is_reverified=True) if later else one
    except DeltaError as error:  # other errors of the dataset are translated
        raise Refusal(
            f"--where is not a condition on the dataset's columns: {str(error).splitlines()[0]}",
            "Use SQL such as: subject = 'physics' and tier = 'plausible'",
        ) from error


def _rows(dataset: Dataset, selection: Selection) -> Iterator[StoredItem]:
    own = ("admission", "correct", "solver", "difficulty")
    for row in dataset.rows.columns(*ITEM_COLUMNS, *own, where=selection.where):
        yield StoredItem(columns_to_item(row), **{name: row[name] for name in own})


def _rejected(dataset: Dataset, selection: Selection) -> Iterator[StoredItem]:
    where = f"kind = 'rejected' and item is not null and ({selection.where})"
    for line in dataset.ledger.columns("item", where=where):
        item = Item.model_validate_json(line["item"])
        if item.problem and is_complete(item.verdicts):
            yield StoredItem(item.with_(tier=None, tier_reason=None), None)


@dataclass(frozen=True, slots=True)
class _Later:
    """What the latest run that moved rows found about an item, with the evidence of before."""

    verdicts: tuple[Verdict, ...]
    adjudicated: tuple[Step, ...]
    tier: str | None
    """`None` for an item that it does not accept."""
    reason: str

    def added_to(self, item: Item) -> Item:
        """Return an item with this evidence instead of its own."""
        kept = tuple(step for step in item.lineage if not step.adjudication)
        changes = {"verdicts": self.verdicts, "lineage": (*kept, *self.adjudicated), "belief": None}
        return item.with_(**changes, tier=self.tier, tier_reason=self.reason)


def _later_evidence(dataset: Location) -> dict[UUID, _Later]:
    """Return the evidence by item. A run that only compares is not evidence."""
    if (table := open_reverifications(dataset)) is None:
        return {}
    columns = ("item_id", "verdicts", "lineage", "reverified_at", "accepted", "tier", "detail")
    lines = sorted(table.columns(*columns, where="not compare"), key=lambda line: line["reverified_at"])
    return {
        UUID(line["item_id"]): _Later(
            _VERDICTS.validate_json(line["verdicts"]),
            tuple(step for step in _STEPS.validate_json(line["lineage"]) if step.adjudication),
            line["tier"] if line["accepted"] else None,
            line["detail"],
        )
        for line in lines
    }
