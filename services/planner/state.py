"""What the planner remembers. Small on purpose: it is written whole after every change.

An id is kept only while it can still matter: in flight, parked, in reserve, deleted. An admitted row is a number, so
the size grows with topics and with work in progress, not with rows.
"""

from uuid import UUID

from pydantic import Field

from schemas.item import Topic
from schemas.model import Model
from schemas.spend import Spend, added, dearest, total

PATIENCE = 6
"""A topic is closed after so many defective problems in a row (more where it has more rows), or so many that repeat
others."""

KEPT = 8
"""Most summaries that are kept of a topic."""
KEPT_IN_ALL = 4000
"""Most that are kept of all: half a megabyte. With many topics each keeps fewer, but one at least."""

TopicRef = tuple[str, int]
"""Where a problem belongs: subject, number of the topic in it."""


class TopicState(Model):
    """One topic: what it was asked, what came of it, and why it is asked no more."""

    topic: Topic
    asked: int = 0
    ended: int = 0
    good: int = 0
    """Of those that ended, rows that were admitted at once."""
    held_out: int = 0
    """Rows that are held out. They cover the topic; what else became of them is kept from whoever asks for others."""
    defects_in_a_row: int = 0
    repeats_in_a_row: int = 0
    closed: str | None = None
    """`defects`: given up; `repeats`: exhausted; `None`: open."""
    summaries: tuple[str, ...] = ()
    """How its latest rows begin."""


class SubjectState(Model):
    """One subject: its topics in the order of arrival, and what became of its problems."""

    topics: tuple[TopicState, ...] = ()
    passes: int = 0
    """How often topics were asked for."""
    expanding: bool = False
    """Whether the latest pass is still out."""
    dry: bool = False
    """Whether a pass came back with hardly a new topic."""
    admitted: int = 0
    """Rows that count towards the quota."""
    reserve: int = 0
    """Rows beyond it: they are admitted before anything new is."""
    ended: int = 0
    """Endings ever, for the yield."""
    good: int = 0
    """Of these, rows that were admitted, at once or from the reserve."""

    @property
    def open_topics(self) -> list[int]:
        """Numbers of the topics that may be asked."""
        return [number for number, topic in enumerate(self.topics) if not topic.closed]


class State(Model):
    """The whole state. Every method returns a new one."""

    plan_hash: str | None = None
    adoptions: int = 0
    """How often a plan was adopted."""
    subjects: dict[str, SubjectState] = Field(default_factory=dict)
    in_flight: dict[UUID, TopicRef] = Field(default_factory=dict)
    parked: dict[UUID, TopicRef] = Field(default_factory=dict)
    reserve: dict[UUID, str] = Field(default_factory=dict)
    """Rows that may be admitted later, with their subject."""
    deleted: frozenset[UUID] = frozenset()
    ability: dict[str, float] = Field(default_factory=dict)
    """pass@1 of the model that was trained last: of all, by subject, by subfield (`subject › subfield`)."""
    spent: tuple[Spend, ...] = ()
    """By topics, and by problems that have ended."""
    dearest: tuple[Spend, ...] = ()
    """Most that one problem has cost so far."""
    costed: int = 0
    """Problems that ended and told what they cost."""
    held_back: bool = False
    """Whether the budget lets no further problem begin."""
    told: int = 0
    """Number of the adoption for which it was said that the budget is reached."""

    def subject(self, name: str) -> SubjectState:
        return self.subjects.get(name, SubjectState())

    def with_subject(self, name: str, **changes: object) -> "State":
        return self.with_(subjects={**self.subjects, name: self.subject(name).with_(**changes)})

    def with_costs(self, costs: tuple[Spend, ...]) -> "State":
        """A problem has ended that cost so much."""
        most = dearest([*self.dearest, *costs, total(costs)])
        return self.with_(spent=added([*self.spent, *costs]), dearest=most, costed=self.costed + 1)

    def with_topic(self, place: TopicRef, **changes: object) -> "State":
        name, number = place
        topics = self.subject(name).topics
        changed = self.topic(place).with_(**changes)
        return self.with_subject(name, topics=(*topics[:number], changed, *topics[number + 1 :]))

    def topic(self, place: TopicRef) -> TopicState:
        return self.subject(place[0]).topics[place[1]]

    def place(self, problem: UUID) -> TopicRef | None:
        """Where a problem belongs that has not ended; `None` if it has, or was never asked for."""
        return self.in_flight.get(problem) or self.parked.get(problem)

    def without(self, problem: UUID) -> "State":
        """The problem is no longer open."""
        return self.with_(in_flight=_minus(self.in_flight, problem), parked=_minus(self.parked, problem))

    @property
    def kept(self) -> int:
        """How many summaries each topic keeps."""
        topics = sum(len(subject.topics) for subject in self.subjects.values())
        return max(1, min(KEPT, KEPT_IN_ALL // max(1, topics)))


def _minus(places: dict[UUID, TopicRef], problem: UUID) -> dict[UUID, TopicRef]:
    return {key: place for key, place in places.items() if key != problem}
