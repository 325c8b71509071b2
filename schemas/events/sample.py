"""Rows of the dataset: added and deleted."""

from typing import ClassVar
from uuid import UUID

from schemas.events.base import Event
from schemas.item import Example
from schemas.model import added
from schemas.spend import Spend


class SampleCurated(Event):
    """The problem has become a row. Published again with another index when a reserve row is admitted later."""

    type: ClassVar[str] = "sample.curated"

    sample_id: UUID
    """Id of the row: the problem's id."""
    plan: str
    subject: str
    topic: str
    tier: str
    correct: bool | None
    views: tuple[str, ...]
    """Views that the plan's `accept` allows: sft, rl; empty for a row that is only recorded."""
    admission: str
    """`in`: counts towards the target; `reserve`: beyond it, used first for the next one; `aside`: not in sft."""
    split: str = "train"
    """train; held_out: in no view, and counts for no target."""
    row_hash: str
    summary: str | None = None
    """The beginning of the problem on one line, for requests of other problems; `None`: unknown."""
    spent: tuple[Spend, ...] | None = None
    """Cost of the problem's calls by model, for the budget; `None`: unknown."""
    imported: bool | None = added()
    """True when a person brought the problem in, from a file or once more: the planner did not request it."""
    before: str | None = added()
    """The admission before more evidence or another solution changed the row; `None`: it has not changed."""
    example: Example | None = added()
    """The problem with its answer, for requests of other problems; `None` if it is long or held out."""

    @property
    def held_out(self) -> bool:
        return self.split == "held_out"

    @property
    def key(self) -> str:
        return str(self.sample_id)

    @property
    def trace(self) -> UUID:
        return self.sample_id


class SampleDeleted(Event):
    """A person has deleted a row. A rebuild does not restore it."""

    type: ClassVar[str] = "sample.deleted"

    sample_id: UUID
    subject: str
    admission: str
    """Admission of the row when it was deleted: in, reserve or aside."""
    decision: str
    row_hash: str

    @property
    def key(self) -> str:
        return str(self.sample_id)

    @property
    def trace(self) -> UUID:
        return self.sample_id
