"""A subject became topics."""

from typing import ClassVar

from schemas.events.base import Event
from schemas.item import Provenance, Topic


class TopicExpanded(Event):
    """New topics of one subject, duplicates removed. May be fewer than wanted; empty when the subject runs dry."""

    type: ClassVar[str] = "topic.expanded"

    plan: str
    subject: str
    wanted: int
    topics: tuple[Topic, ...]
    calls: tuple[Provenance, ...] = ()

    @property
    def key(self) -> str:
        return self.subject
