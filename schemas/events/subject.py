"""Requests for topics of a subject."""

from typing import ClassVar

from pydantic import Field

from schemas.events.base import Event


class SubjectRequested(Event):
    """The planner requests topics of a subject. `index` of the cause counts the passes."""

    type: ClassVar[str] = "subject.requested"

    plan: str
    subject: str
    about: str
    """What the subject means, in a sentence."""
    wanted: int
    """Number of topics to add."""
    known: tuple[str, ...] = ()
    """Names of the existing topics."""
    covered: dict[str, int] = Field(default_factory=dict)
    """Number of existing topics in each "field › subfield"."""

    @property
    def key(self) -> str:
        return self.subject
