"""Problems, from the request to the panel's decision and the probe."""

from typing import ClassVar, Self

from schemas.events.base import Event, ItemEvent, ProblemEvent
from schemas.item import Easier, Example, Item, Topic, Verdict
from schemas.model import added


class ProblemRequested(Event):
    """The planner requests one problem. The event's id is the id of the problem."""

    type: ClassVar[str] = "problem.requested"

    plan: str
    topic: Topic
    answer_type: str
    """The requested type of answer; the writer may miss it."""
    harder_than: Easier | None = None
    """A problem whose idea to use again, made harder."""
    technique: str | None = None
    """A technique for the solution; `None`: the writer chooses."""
    structure: str | None = None
    """A structure of the problem; `None`: the writer chooses."""
    avoid: tuple[str, ...] = ()
    """Beginnings of the topic's latest problems, from which the new one must differ."""
    rejections: tuple[str, ...] | None = added()
    """The topic's latest rejections: reason and beginning of the problem."""
    examples: tuple[Example, ...] | None = added()
    """Accepted problems of other topics, for form and level."""

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def item(self) -> Item:
        """The initial item."""
        return Item(id=self.id, plan=self.plan, topic=self.topic, harder_than=self.harder_than)


class ProblemDrafted(ItemEvent):
    type: ClassVar[str] = "problem.drafted"


class ProblemScreened(ItemEvent):
    type: ClassVar[str] = "problem.screened"


class ProblemVerified(ItemEvent):
    """The verdict of one verifier. There are two for each problem; the item has no verdicts yet."""

    type: ClassVar[str] = "problem.verified"

    verdict: Verdict


class ProblemAccepted(ItemEvent):
    """The panel has joined both verdicts; the item has them and its tier."""

    type: ClassVar[str] = "problem.accepted"


class ProblemProbed(ItemEvent):
    type: ClassVar[str] = "problem.probed"

    @classmethod
    def without_attempts(cls, accepted: ProblemAccepted) -> Self:
        """Pass an accepted problem on; its difficulty stays unknown. Every service builds the same event."""
        return cls.of(accepted, "probe", accepted.item)


class ProblemRejected(ItemEvent):
    """The end of a rejected problem. Retained for ever."""

    type: ClassVar[str] = "problem.rejected"

    reason: str
    """One word for statistics: malformed, multiple_choice, repeat, key_disputed, unsolved, …; an open set."""
    detail: str
    """One sentence for a person."""

    @property
    def service(self) -> str:
        """The service that rejected it."""
        return self.cause.role


class ProblemParked(ProblemEvent):
    """A record about the problem is a dead letter. The problem has not ended: replay resumes it, drop rejects it."""

    type: ClassVar[str] = "problem.parked"

    service: str
    error: str
    """Class of the error."""
    message: str
