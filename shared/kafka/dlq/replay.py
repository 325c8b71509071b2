"""Dead letters: which there are, another try for them, or an end.

A letter is settled by a record beside it on the same Kafka topic, so what was done stays on the log as well.
"""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from aiokafka import TopicPartition

from schemas.events import Event, ItemEvent, ProblemRejected, ProblemRequested
from schemas.flow import BY_TYPE, DEAD_LETTERS, DEFAULT_PARTITIONS
from shared.config.connections import KafkaAccess
from shared.errors import Invalid, Refusal
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import AUDIT, Headers, Message, decode, encode
from shared.kafka.dlq.dead_letter import MEANT_FOR, OURS, REFUSED_BY, original, problem_of
from shared.kafka.names import kafka_topic
from shared.kafka.read.until_end import read_partitions

SETTLED, LETTER = f"{OURS}settled", f"{OURS}letter"
REPLAYED, DROPPED = "replayed", "dropped"


@dataclass(frozen=True)
class DeadLetter:
    """A record that somebody could not handle."""

    id: str
    """Its place among the dead letters: partition/offset."""
    at: datetime
    name: str
    """Kafka topic that it came from, without the factory."""
    service: str
    """Who could not handle it."""
    error: str
    message: str
    attempts: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    """Those it had at first."""
    settled: str | None = None
    """`replayed` or `dropped`; None while it waits."""

    @property
    def problem(self) -> UUID | None:
        """The problem that waits for it."""
        about = BY_TYPE.get(self.name)
        return problem_of(about.event, self.key) if about and AUDIT not in dict(self.headers) else None

    @cached_property
    def event(self) -> Event | None:
        """What it says; None when its bytes are no event."""
        try:
            return decode(self.name, self.key, self.value, self.headers)
        except Invalid:
            return None


async def list_dead_letters(access: KafkaAccess, factory: str) -> list[DeadLetter]:
    """Every dead letter, the oldest first. Raises KafkaError when Kafka does not answer."""
    found, settled = list[DeadLetter](), dict[str, str]()
    topic = kafka_topic(factory, DEAD_LETTERS)
    async with aclosing(
        read_partitions(access, [TopicPartition(topic, number) for number in range(DEFAULT_PARTITIONS)])
    ) as told:
        async for records in told:
            for record in records:
                headers = dict(record.headers)
                if SETTLED in headers:
                    settled[headers[LETTER].decode()] = headers[SETTLED].decode()
                else:
                    found.append(_parse(record))
    return sorted((replace(one, settled=settled.get(one.id)) for one in found), key=lambda one: (one.at, one.id))


async def replay(access: KafkaAccess, factory: str, chosen: Iterable[DeadLetter]) -> None:
    """Put records on the log again, for the one who could not handle them. Twice does no harm."""
    await _settle(access, factory, REPLAYED, [(letter, [_again(letter)]) for letter in chosen])


async def drop(access: KafkaAccess, factory: str, chosen: Iterable[DeadLetter], reason: str) -> None:
    """End the problems that wait for these letters. Raises Refusal for a problem that nothing is known of."""
    await _settle(access, factory, DROPPED, [(letter, _rejection(letter, factory, reason)) for letter in chosen])


def _rejection(letter: DeadLetter, factory: str, reason: str) -> list[Message]:
    if not letter.problem:
        return []
    event = letter.event
    if not isinstance(event, ItemEvent | ProblemRequested):
        raise Refusal(
            f"{letter.id} is no event, so its problem {letter.problem} cannot be rejected with all that is known of it",
            "Leave it: it holds nothing up",
        )
    detail = f"{letter.name} became a dead letter of {letter.service}: {reason}"
    rejected = ProblemRejected.of(event, "cli", event.item, reason=DROPPED, detail=detail)
    return [encode(rejected, f"{factory}/cli")]


def _again(letter: DeadLetter) -> Message:
    return Message(letter.name, letter.key, letter.value, [*letter.headers, (MEANT_FOR, letter.service.encode())])


async def _settle(access: KafkaAccess, factory: str, how: str, work: list[tuple[DeadLetter, list[Message]]]) -> None:
    """First what is to be done is on the log, then that it was: a crash between leaves the letter open."""
    producer = Producer(access, factory)
    await producer.start()
    try:
        for letter, messages in work:
            await producer.publish(messages)
            said = [(SETTLED, how.encode()), (LETTER, letter.id.encode())]
            await producer.publish([Message(DEAD_LETTERS, letter.key, None, said)])
    finally:
        await producer.stop()


def _parse(record: ConsumerRecord) -> DeadLetter:
    said = {name: value.decode(errors="replace") for name, value in record.headers if name.startswith(OURS)}
    return DeadLetter(
        id=f"{record.partition}/{record.offset}",
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        name=said[f"{OURS}kafka-topic"],
        service=said[REFUSED_BY],
        error=said[f"{OURS}error"],
        message=said[f"{OURS}message"],
        attempts=int(said[f"{OURS}attempts"]),
        key=record.key,
        value=record.value,
        headers=original(record.headers),
    )
