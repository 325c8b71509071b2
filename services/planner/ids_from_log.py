"""Ids that a snapshot leaves out, read from the log when a replica takes over.

Parked problems are those of the dead letters, which are never trimmed, that this planner requested, that are not in
flight, and that have no ending on a retained Kafka topic up to the snapshot's offsets. The deleted rows are those of
`sample.deleted` up to there, the imported ones those of `sample.curated` that say so. A problem whose dead letter
cannot be decoded is no longer counted as parked.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TypeVar
from uuid import UUID

from schemas.events import ItemEvent, ProblemRejected, ProblemRequested, SampleCurated, SampleDeleted
from schemas.events.base import Cause
from schemas.flow import DEAD_LETTERS
from schemas.identity import factory_id
from schemas.outcomes import Admission
from services.planner.state import State, TopicRef
from shared.config.connections import KafkaAccess
from shared.kafka.dlq.replay import DeadLetter, parse
from shared.kafka.read.keys import MAX_RECORDS, Position, read_keys
from shared.kafka.read.records import partitions_in_use, read_records
from shared.kafka.read.replay import replay

FIELDS = frozenset({"parked", "deleted", "imported"})
"""Fields of the state that a snapshot leaves out."""

E = TypeVar("E", SampleCurated, SampleDeleted)

Offsets = Mapping[tuple[str, int], int]
"""Next offset of each (Kafka topic, partition) that the snapshot includes."""


async def read_ids(access: KafkaAccess, factory: str, state: State, offsets: Offsets) -> State:
    """Return the state with its ids. Those in a snapshot of an earlier version are taken from it. Raises KafkaError."""
    if not state.parked and state.parked_count:
        state = state.with_parked(await _parked(access, factory, state, offsets))
    else:
        state = state.with_parked(state.parked)
    if not state.imported and state.imported_count:
        curated = _folded(access, factory, SampleCurated, offsets)
        rows = frozenset([e.sample_id async for e in curated if e.imported and e.admission == Admission.IN])
        state = state.with_(imported=rows)
    deletions = _folded(access, factory, SampleDeleted, offsets)
    return state.with_(deleted=frozenset([event.sample_id async for event in deletions]))


async def _folded(access: KafkaAccess, factory: str, kind: type[E], offsets: Offsets) -> AsyncIterator[E]:
    """Yield the events of a retained Kafka topic that the snapshot includes."""
    async for records in replay(access, factory, kind.type):
        for record in records:
            is_included = record.offset < offsets.get((record.kafka_topic, record.partition), 0)
            if is_included and isinstance(record.event, kind):
                yield record.event


async def _parked(access: KafkaAccess, factory: str, state: State, offsets: Offsets) -> dict[UUID, TopicRef]:
    """Return the problems that are parked. A record on which the planner itself failed has ended none."""
    parked, failed = await _with_dead_letter(access, factory, state)
    for event in (ProblemRejected, SampleCurated, SampleDeleted) if parked else ():
        async for position, key in read_keys(access, factory, event.type, offsets):
            if position not in failed:
                parked.pop(key.decode(errors="replace"), None)
    return {UUID(problem): ref for problem, ref in parked.items()}


async def _with_dead_letter(
    access: KafkaAccess, factory: str, state: State
) -> tuple[dict[str, TopicRef], set[Position | None]]:
    """Return the requested problems with a dead letter that are not in flight, and the planner's failed records."""
    found: dict[str, TopicRef] = {}
    failed: set[Position | None] = set()
    requests = _Requests(state, factory)
    partitions = await partitions_in_use(access, factory, [DEAD_LETTERS])
    async with aclosing(read_records(access, partitions, max_records=MAX_RECORDS)) as batches:
        async for batch in batches:
            for letter in (parse(record) for records in batch.values() for record in records):
                if letter.service == "planner":
                    failed.add(letter.position)
                if letter.problem and letter.problem not in state.in_flight and (ref := requests.topic_of(letter)):
                    found[str(letter.problem)] = ref
    return found, failed


class _Requests:
    """Recognises the problems that the planner of a state requested: their ids are derived from topic and number."""

    def __init__(self, state: State, factory: str) -> None:
        self._state = state
        self._root = factory_id(factory)
        self._refs = {
            topic.topic.id(self._root): (name, number)
            for name, subject in state.subjects.items()
            for number, topic in enumerate(subject.topics)
        }
        self._ids: dict[TopicRef, frozenset[UUID]] = {}

    def topic_of(self, letter: DeadLetter) -> TopicRef | None:
        event = letter.event
        if not isinstance(event, ItemEvent | ProblemRequested):
            return None
        topic = event.item.topic.id(self._root)
        if (ref := self._refs.get(topic)) is None:
            return None
        if ref not in self._ids:
            causes = (Cause(parent=topic, role="planner", index=n) for n in range(self._state.topic(ref).requested))
            self._ids[ref] = frozenset(map(ProblemRequested.derive_id, causes))
        return ref if event.item.harder_than or event.item.id in self._ids[ref] else None
