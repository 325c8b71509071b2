"""Base classes of events. The id of an event is derived from its cause."""

from typing import Any, ClassVar, Self
from uuid import UUID

from schemas.identity import derive
from schemas.item import Item, Provenance, Step
from schemas.model import Model, check_fields


class Cause(Model):
    """The cause of an event. `parent_hash` is the content hash of the parent, if the parent is an event."""

    parent: UUID
    parent_hash: str | None = None
    role: str
    """The service, or its role, that made the event."""
    index: int = 0


class Event(Model):
    """An event. Build it with `root` or `after`, so that its id is derived from its cause."""

    type: ClassVar[str]
    major: ClassVar[int] = 1

    id: UUID
    """Derived from the cause: the same cause gives the same id."""
    cause: Cause

    @classmethod
    def derive_id(cls, cause: Cause) -> UUID:
        """Derive the id of an event of this type with this cause."""
        return derive(cause.parent, f"{cls.type}/{cause.role}", cause.index)

    @classmethod
    def root(cls, parent: UUID, role: str, index: int = 0, **fields: Any) -> Self:
        """Build an event whose cause is not an event, but a topic, a plan or a table."""
        return cls._build(Cause(parent=parent, role=role, index=index), fields)

    @classmethod
    def after(cls, parent: "Event", role: str, index: int = 0, **fields: Any) -> Self:
        """Build the `index`-th event of this type that `role` makes from `parent`."""
        return cls._build(Cause(parent=parent.id, parent_hash=parent.hash, role=role, index=index), fields)

    @classmethod
    def _build(cls, cause: Cause, fields: dict[str, Any]) -> Self:
        check_fields(cls, fields)
        return cls(id=cls.derive_id(cause), cause=cause, **fields)

    @property
    def key(self) -> str:
        """Key of the Kafka record: the problem id, or the subject for events about a subject."""
        raise NotImplementedError

    @property
    def trace(self) -> UUID:
        """Trace id. All events of one problem have the same."""
        return self.id

    @property
    def addressee(self) -> str | None:
        """The one service that is to handle it; `None`: every consumer."""
        return None


class ItemEvent(Event):
    """An event that carries the complete item."""

    item: Item
    """The problem with everything known about it so far."""

    @classmethod
    def of(
        cls, parent: Event, role: str, item: Item, calls: tuple[Provenance, ...] = (), index: int = 0, **fields: Any
    ) -> Self:
        """Build as `after`, and add this event to the item's lineage, with its model calls and a changed belief."""
        cause = Cause(parent=parent.id, parent_hash=parent.hash, role=role, index=index)
        before = parent.item.belief if isinstance(parent, ItemEvent) else None
        belief = None if item.belief == before else item.belief
        step = Step(service=role, event=cls.derive_id(cause), type=cls.type, calls=calls, belief=belief)
        return cls._build(cause, {**fields, "item": item.with_(lineage=(*item.lineage, step))})

    @property
    def key(self) -> str:
        return str(self.item.id)

    @property
    def trace(self) -> UUID:
        return self.item.id


class ProblemEvent(Event):
    """An event about a problem that does not carry its item."""

    problem_id: UUID

    @property
    def key(self) -> str:
        return str(self.problem_id)

    @property
    def trace(self) -> UUID:
        return self.problem_id
