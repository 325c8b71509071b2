"""Lists, replays and drops dead letters.

A dead letter is settled by a second record on the same Kafka topic, so the log also holds what was done.
"""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from uuid import UUID

from schemas.events import Event, ItemEvent, ProblemRejected, ProblemRequested
from schemas.flow import DEAD_LETTERS
from shared.config.connections import KafkaAccess
from shared.errors import Invalid, Refusal
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import Headers, Message, decode, encode
from shared.kafka.dlq.dead_letter import (
    HEADER_PREFIX,
    OFFSET,
    PARTITION,
    REPLAY_HEADER,
    SERVICE_HEADER,
    original_headers,
    parked_problem,
)
from shared.kafka.read.records import partitions_in_use, read_records

SETTLED_HEADER, LETTER = f"{HEADER_PREFIX}settled", f"{HEADER_PREFIX}letter"
REPLAYED, DROPPED, UNREADABLE = "replayed", "dropped", "unreadable"
_REQUIRED = (SERVICE_HEADER, *(f"{HEADER_PREFIX}{name}" for name in ("kafka-topic", "error", "message", "attempts")))


@dataclass(frozen=True)
class DeadLetter:
    """A record that a service could not handle."""

    id: str
    """Position on the Kafka topic of dead letters: partition/offset."""
    at: datetime
    name: str
    """Kafka topic of the original record, without the factory."""
    service: str
    """The service that failed."""
    error: str
    message: str
    attempts: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    """Original headers."""
    position: tuple[str, int, int] | None = None
    """Kafka topic without the factory, partition and offset of the original record; None when unreadable."""
    settled: str | None = None
    """`replayed`, `dropped`, or `unreadable` for a record that no service wrote; None while it is pending."""

    @property
    def problem(self) -> UUID | None:
        """The problem that is parked because of it; None when there is none."""
        return parked_problem(self.name, self.service, self.key, self.headers)

    @cached_property
    def event(self) -> Event | None:
        """The event; None when the record is not a valid event."""
        try:
            return decode(self.name, self.key, self.value, self.headers)
        except Invalid:
            return None


async def list_dead_letters(access: KafkaAccess, factory: str) -> list[DeadLetter]:
    """Every dead letter, the oldest first. Raises KafkaError when Kafka does not answer."""
    letters, settled = list[DeadLetter](), dict[str, str]()
    partitions = await partitions_in_use(access, factory, [DEAD_LETTERS])
    async with aclosing(read_records(access, partitions)) as batches:
        async for batch in batches:
            for record in chain.from_iterable(batch.values()):
                headers = dict(record.headers)
                if headers.keys() >= {SETTLED_HEADER, LETTER}:
                    settled[headers[LETTER].decode()] = headers[SETTLED_HEADER].decode()
                else:
                    letters.append(parse(record))
    updated = (replace(one, settled=one.settled or settled.get(one.id)) for one in letters)
    return sorted(updated, key=lambda one: (one.at, one.id))


async def replay(access: KafkaAccess, factory: str, chosen: Iterable[DeadLetter]) -> None:
    """Publish records again, for the service that could not handle them. Safe to repeat."""
    await _settle(access, factory, REPLAYED, [(letter, [_replayed_message(letter)]) for letter in chosen])


async def drop(access: KafkaAccess, factory: str, chosen: Iterable[DeadLetter], reason: str) -> None:
    """Reject the problems that are parked for these dead letters. Raises Refusal when a record is not an event."""
    await _settle(access, factory, DROPPED, [(letter, _rejection(letter, factory, reason)) for letter in chosen])


def _rejection(letter: DeadLetter, factory: str, reason: str) -> list[Message]:
    if not letter.problem:
        return []
    event = letter.event
    if not isinstance(event, ItemEvent | ProblemRequested):
        raise Refusal(
            f"{letter.id} is not a valid event, so its problem {letter.problem} cannot be rejected with its item",
            "Leave it: it delays nothing",
        )
    detail = f"{letter.name} became a dead letter of {letter.service}: {reason}"
    rejected = ProblemRejected.of(event, "cli", event.item, reason=DROPPED, detail=detail)
    return [encode(rejected, f"{factory}/cli")]


def _replayed_message(letter: DeadLetter) -> Message:
    return Message(letter.name, letter.key, letter.value, [*letter.headers, (REPLAY_HEADER, letter.service.encode())])


async def _settle(
    access: KafkaAccess, factory: str, resolution: str, work: list[tuple[DeadLetter, list[Message]]]
) -> None:
    """Publish the messages of each dead letter, then that it is settled: a crash in between leaves it pending."""
    producer = Producer(access, factory)
    await producer.start()
    try:
        for letter, messages in work:
            await producer.publish(messages)
            headers = [(SETTLED_HEADER, resolution.encode()), (LETTER, letter.id.encode())]
            await producer.publish([Message(DEAD_LETTERS, letter.key, None, headers)])
    finally:
        await producer.stop()


def parse(record: ConsumerRecord) -> DeadLetter:
    """Read a dead letter. A record with other headers, which no service wrote, is `unreadable`."""
    added = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    service, name, error, message, attempts = (added.get(header, "unknown") for header in _REQUIRED)
    readable = added.keys() >= set(_REQUIRED) and attempts.isdecimal()
    return DeadLetter(
        id=f"{record.partition}/{record.offset}",
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        name=name,
        service=service,
        error=error,
        message=message,
        attempts=int(attempts) if readable else 0,
        key=record.key,
        value=record.value,
        headers=original_headers(record.headers),
        position=_position(name, added.get(PARTITION, ""), added.get(OFFSET, "")),
        settled=None if readable else UNREADABLE,
    )


def _position(name: str, partition: str, offset: str) -> tuple[str, int, int] | None:
    return (name, int(partition), int(offset)) if partition.isdecimal() and offset.isdecimal() else None
