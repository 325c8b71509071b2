"""State of the planner: topics and counts.

Of ids, a snapshot has those of problems in flight and of rows in reserve; parked problems and deleted rows are counted,
and their ids are read from the log (ids_from_log.py). So its size grows with topics, not with rows.
"""

from collections import Counter
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.item import Example, Topic
from schemas.model import Model, added
from schemas.spend import Spend, dearest, total
from schemas.spend import added as sum_spends

CLOSE_AFTER = 6
"""A topic is closed after this many defective problems in a row (or as many as it has rows, if more), or this many
repeats."""

MAX_SUMMARIES = 8
"""Most summaries stored for a topic."""
MAX_SUMMARIES_IN_ALL = 4000
"""Most summaries of all topics: half a megabyte. With many topics each stores fewer, at least one."""

MAX_REJECTIONS = 3
"""Most rejections stored for a topic."""
MAX_REJECTIONS_IN_ALL = 1500
"""Most rejections of all topics: half a megabyte. With many topics each stores fewer, or none."""
MAX_EXAMPLES = 16
"""Most accepted problems stored as examples, each of another topic."""

_BY_OLD_NAME = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)
"""Snapshots keep the field names of earlier versions, which read them after a rollback."""


def _named(old: str, default: bool | int) -> Any:
    return Field(default, validation_alias=old, serialization_alias=old)


TopicRef = tuple[str, int]
"""Reference to a topic: subject, index of the topic in it."""


class TopicState(Model):
    """One topic: its requests, their results, and why it is closed."""

    model_config = _BY_OLD_NAME

    topic: Topic
    requested: int = _named("asked", 0)
    ended: int = 0
    good: int = 0
    """Ended problems that became rows and were admitted immediately."""
    held_out: int = 0
    """Held-out rows. They count as coverage only: nothing else about them may influence requests."""
    defects_in_a_row: int = 0
    repeats_in_a_row: int = 0
    closed: str | None = None
    """Why it is closed: `defects`, `repeats` or, until the plan changes, `yield`; `None` while open."""
    rowless: int | None = added()
    """Ended problems since its last row, if any."""
    summaries: tuple[str, ...] = ()
    """Beginnings of its latest rows."""
    rejections: tuple[str, ...] | None = added()
    """Its latest rejections: reason and beginning of the problem."""


class ExampleRow(Model):
    """An accepted row that is shown to the writers of other topics."""

    row: UUID
    topic: TopicRef
    example: Example


class SubjectState(Model):
    """One subject: its topics in order of arrival, and the results of its problems."""

    model_config = _BY_OLD_NAME

    topics: tuple[TopicState, ...] = ()
    passes: int = 0
    """Number of passes in which topics were requested."""
    expanding: bool = False
    """Whether the latest pass is still in flight."""
    exhausted: bool = _named("dry", False)
    """Whether a pass returned too few new topics."""
    parked: int | None = added()
    """Parked problems, if any."""
    failures: int | None = added()
    """Topic requests in a row that failed, if any."""
    admitted: int = 0
    """Rows that count towards the quota."""
    reserve: int = 0
    """Rows beyond the quota: they are admitted before new ones."""
    ended: int = 0
    """Ended problems, for the yield."""
    good: int = 0
    """Ended problems that became admitted rows, immediately or from the reserve."""

    @property
    def has_open_topic(self) -> bool:
        """Whether any topic may be requested; quicker than `open_topics`."""
        return any(not topic.closed for topic in self.topics)

    @property
    def open_topics(self) -> list[int]:
        """Indices of the topics that may be requested."""
        return [number for number, topic in enumerate(self.topics) if not topic.closed]


class State(Model):
    """The whole state. Every method returns a new one."""

    model_config = _BY_OLD_NAME

    plan_hash: str | None = None
    adoptions: int = 0
    """Number of adopted plans."""
    subjects: dict[str, SubjectState] = Field(default_factory=dict)
    in_flight: dict[UUID, TopicRef] = Field(default_factory=dict)
    parked: dict[UUID, TopicRef] = Field(default_factory=dict)
    reserve: dict[UUID, str] = Field(default_factory=dict)
    """Rows that may be admitted later, with their subject."""
    deleted: frozenset[UUID] = frozenset()
    moves: frozenset[UUID] | None = added()
    """Events about rows that reverifications moved: their ids tell a repeated event."""
    imported: frozenset[UUID] | None = added()
    """Admitted rows that were imported and count: nobody requested them, so their ids tell a repeated event."""
    imported_count: int | None = added()
    """Their number, if any."""
    ability: dict[str, float] = Field(default_factory=dict)
    """pass@1 of the model trained last: overall, by subject, by subfield (`subject › subfield`)."""
    spent: tuple[Spend, ...] = ()
    """Spend of topic requests and of ended problems."""
    dearest: tuple[Spend, ...] = ()
    """Highest cost of one problem so far."""
    costed: int = 0
    """Ended problems with a known cost."""
    examples: tuple[ExampleRow, ...] | None = added()
    """The latest accepted rows, one of each topic."""
    held_back: bool = False
    """Whether the budget allows no further problem."""
    reported_adoption: int = _named("told", 0)
    """Number of the adoption for which `budget.reached` was published."""
    rowless: int | None = added()
    """Ended problems since the last row of any topic, if any."""
    refreshed: bool | None = added()
    """Whether new topics were requested since then because of the floor of yield."""
    paused: str | None = added()
    """Why no problem is requested although rows are missing: `parked` or `yield`."""

    def subject(self, name: str) -> SubjectState:
        return self.subjects.get(name, SubjectState())

    def with_subject(self, name: str, **changes: object) -> "State":
        return self.with_(subjects={**self.subjects, name: self.subject(name).with_(**changes)})

    def with_costs(self, costs: tuple[Spend, ...]) -> "State":
        """Add the costs of an ended problem."""
        highest = dearest([*self.dearest, *costs, total(costs)])
        return self.with_(spent=sum_spends([*self.spent, *costs]), dearest=highest, costed=self.costed + 1)

    def with_topic(self, topic_ref: TopicRef, **changes: object) -> "State":
        name, number = topic_ref
        topics = self.subject(name).topics
        changed = self.topic(topic_ref).with_(**changes)
        return self.with_subject(name, topics=(*topics[:number], changed, *topics[number + 1 :]))

    def with_end(self, topic_ref: TopicRef, *, row: bool) -> "State":
        """Count a problem that ended with or without a row."""
        if row:
            return self.with_(rowless=None, refreshed=None).with_topic(topic_ref, rowless=None)
        rowless = self.topic(topic_ref).rowless or 0
        return self.with_(rowless=(self.rowless or 0) + 1).with_topic(topic_ref, rowless=rowless + 1)

    def topic(self, topic_ref: TopicRef) -> TopicState:
        return self.subject(topic_ref[0]).topics[topic_ref[1]]

    def topic_of(self, problem: UUID) -> TopicRef | None:
        """Return the topic of an open problem; `None` if it has ended or was not requested here."""
        return self.in_flight.get(problem) or self.parked.get(problem)

    def without(self, problem: UUID) -> "State":
        """Remove a problem from the open ones."""
        state = self.with_(in_flight=_minus(self.in_flight, problem))
        return state.with_parked(_minus(self.parked, problem)) if problem in self.parked else state

    def with_parked(self, parked: dict[UUID, TopicRef]) -> "State":
        """Replace the parked problems, and count them."""
        counts = Counter(name for name, _ in parked.values())
        changed = {name for name, one in self.subjects.items() if (one.parked or 0) != counts[name]}
        subjects = {name: self.subjects[name].with_(parked=counts[name] or None) for name in changed}
        return self.with_(parked=parked, subjects={**self.subjects, **subjects})

    @property
    def parked_count(self) -> int:
        """Number of parked problems; known without their ids."""
        return sum(subject.parked or 0 for subject in self.subjects.values())

    @property
    def summaries_per_topic(self) -> int:
        """Number of summaries that each topic stores."""
        return max(1, min(MAX_SUMMARIES, MAX_SUMMARIES_IN_ALL // max(1, self._topics)))

    @property
    def rejections_per_topic(self) -> int:
        """Number of rejections that each topic stores; may be 0."""
        return min(MAX_REJECTIONS, MAX_REJECTIONS_IN_ALL // max(1, self._topics))

    @property
    def _topics(self) -> int:
        return sum(len(subject.topics) for subject in self.subjects.values())

    def with_example(self, row: UUID, topic: TopicRef, example: Example) -> "State":
        """Store an accepted row as the example of its topic."""
        others = [one for one in self.examples or () if one.topic != topic]
        kept = (*others, ExampleRow(row=row, topic=topic, example=example))
        return self.with_(examples=kept[-MAX_EXAMPLES:])

    def without_example(self, row: UUID) -> "State":
        """Remove a deleted row from the examples."""
        return self.with_(examples=tuple(one for one in self.examples or () if one.row != row) or None)


def _minus(open_problems: dict[UUID, TopicRef], problem: UUID) -> dict[UUID, TopicRef]:
    rest = dict(open_problems)  # a copy hashes no key; the hash of a UUID is slow
    rest.pop(problem, None)
    return rest
