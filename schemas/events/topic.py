"""New topics of a subject."""

from typing import ClassVar

from schemas.events.base import Event
from schemas.item import Provenance, Topic
from schemas.model import added


class TopicExpanded(Event):
    """New topics of one subject, without duplicates. May be fewer than requested; empty when there are no more."""

    type: ClassVar[str] = "topic.expanded"

    plan: str
    subject: str
    wanted: int
    topics: tuple[Topic, ...]
    calls: tuple[Provenance, ...] = ()
    failed: str | None = added()
    """Why the model gave no list of topics: the planner requests it again, up to a limit."""

    @property
    def key(self) -> str:
        return self.subject
