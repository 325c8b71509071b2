"""What every event has: an id derived from its cause."""

from typing import Any, ClassVar, Self
from uuid import UUID

from schemas.identity import derive
from schemas.item import Item, Provenance, Step
from schemas.model import Model, check_fields


class Cause(Model):
    """What an event was made from. `parent_hash` is the content hash of the parent event, if the parent is one."""

    parent: UUID
    parent_hash: str | None = None
    role: str
    """The service (or role of it) that made the event."""
    index: int = 0


class Event(Model):
    """Something that happened. Build it with `root` or `after`, so that its id is derived from its cause."""

    type: ClassVar[str]
    major: ClassVar[int] = 1

    id: UUID
    cause: Cause

    @classmethod
    def derive_id(cls, cause: Cause) -> UUID:
        """The one id that an event of this type with this cause can have."""
        return derive(cause.parent, f"{cls.type}/{cause.role}", cause.index)

    @classmethod
    def root(cls, parent: UUID, role: str, index: int = 0, **fields: Any) -> Self:
        """An event whose cause is no event: a topic, a plan, a table."""
        return cls._made(Cause(parent=parent, role=role, index=index), fields)

    @classmethod
    def after(cls, parent: "Event", role: str, index: int = 0, **fields: Any) -> Self:
        """The `index`-th event of this type that `role` makes out of `parent`."""
        return cls._made(Cause(parent=parent.id, parent_hash=parent.hash, role=role, index=index), fields)

    @classmethod
    def _made(cls, cause: Cause, fields: dict[str, Any]) -> Self:
        check_fields(cls, fields)
        return cls(id=cls.derive_id(cause), cause=cause, **fields)

    @property
    def key(self) -> str:
        """Key of the record in Kafka: the problem id, or the subject for events about a subject."""
        raise NotImplementedError

    @property
    def trace(self) -> UUID:
        """One problem is one trace."""
        return self.id


class ItemEvent(Event):
    """An event that carries the whole item."""

    item: Item

    @classmethod
    def of(
        cls, parent: Event, role: str, item: Item, calls: tuple[Provenance, ...] = (), index: int = 0, **fields: Any
    ) -> Self:
        """As `after`, and the item's lineage gains this event with the model calls it took."""
        cause = Cause(parent=parent.id, parent_hash=parent.hash, role=role, index=index)
        step = Step(service=role, event=cls.derive_id(cause), type=cls.type, calls=calls)
        return cls._made(cause, {**fields, "item": item.with_(lineage=(*item.lineage, step))})

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
