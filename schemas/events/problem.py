"""The life of a problem, from the request to the panel's decision and the probe."""

from typing import ClassVar

from schemas.events.base import Event, ItemEvent, ProblemEvent
from schemas.item import Easier, Item, Topic, Verdict


class ProblemRequested(Event):
    """The planner wants one problem. The event's id is the problem's id for its whole life."""

    type: ClassVar[str] = "problem.requested"

    plan: str
    topic: Topic
    answer_type: str
    """The type of answer asked for; the writer may miss it."""
    harder_than: Easier | None = None
    """The same idea is wanted, harder than this problem."""
    technique: str | None = None
    """What its solution may rest on; `None`: as the writer likes."""
    structure: str | None = None
    """How it may be built; `None`: as the writer likes."""
    avoid: tuple[str, ...] = ()
    """How the latest problems of the topic begin: it should be unlike them."""

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def item(self) -> Item:
        """The item as it begins."""
        return Item(id=self.id, plan=self.plan, topic=self.topic, harder_than=self.harder_than)


class ProblemDrafted(ItemEvent):
    type: ClassVar[str] = "problem.drafted"


class ProblemScreened(ItemEvent):
    type: ClassVar[str] = "problem.screened"


class ProblemVerified(ItemEvent):
    """One verifier's verdict. It comes twice for each problem; the item holds no verdicts yet."""

    type: ClassVar[str] = "problem.verified"

    verdict: Verdict


class ProblemAccepted(ItemEvent):
    """The panel joined both verdicts; the item holds them and its tier."""

    type: ClassVar[str] = "problem.accepted"


class ProblemProbed(ItemEvent):
    type: ClassVar[str] = "problem.probed"


class ProblemRejected(ItemEvent):
    """An ending: complete, kept for ever, queryable."""

    type: ClassVar[str] = "problem.rejected"

    reason: str
    """One word for statistics: malformed, multiple_choice, repeat, key_disputed, unsolved, …; open."""
    detail: str
    """One sentence for a person."""

    @property
    def service(self) -> str:
        """The service that rejected it."""
        return self.cause.role


class ProblemParked(ProblemEvent):
    """A record about the problem became a dead letter. No ending: replay reopens it, drop rejects it."""

    type: ClassVar[str] = "problem.parked"

    service: str
    error: str
    """Class of the error."""
    message: str
