"""Builds dead letters: records that could not be handled, with original key, bytes and headers, and the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.events import ItemEvent, ProblemParked, ProblemRequested
from schemas.flow import BY_TYPE, DEAD_LETTERS, is_side_branch
from schemas.identity import derive
from shared.kafka.codec import ADDRESSEE_HEADER, AUDIT_HEADER, RUN_HEADER, Message, encode

REASON_LIMIT = 2000
HEADER_PREFIX = "chimera-"
"""Prefix of the headers that a dead letter adds to the record's own."""
SERVICE_HEADER = "chimera-service"
PARTITION, OFFSET = "chimera-partition", "chimera-offset"
REPLAY_HEADER = "chimera-for"
"""Header of a replayed record: the one service that is to handle it."""


def original_headers(headers: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Headers of a record without those of dead letters and replays."""
    return [(name, value) for name, value in headers if not name.startswith(HEADER_PREFIX)]


def is_addressed_to(service: str, headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a service is to handle a record. All are, unless it was replayed or has an addressee."""
    named = dict(headers)
    return all(named.get(name) in (None, service.encode()) for name in (REPLAY_HEADER, ADDRESSEE_HEADER))


def is_replay(headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a record is the replay of a dead letter."""
    return REPLAY_HEADER in dict(headers)


def position_of_letter(messages: Sequence[Message]) -> str | None:
    """Return the position (partition/offset) of the record whose dead letter is among messages; None without one."""
    letters = (dict(message.headers) for message in messages if message.name == DEAD_LETTERS)
    return next((f"{one[PARTITION].decode()}/{one[OFFSET].decode()}" for one in letters), None)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A consumed record. aiokafka's ConsumerRecord has the same attributes."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Unix time in milliseconds."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Failure:
    """The service that failed on a record, its last error, and the number of attempts."""

    factory: str
    service: str
    error: BaseException
    attempts: int


def to_record(name: str, record: SourceRecord, failure: Failure) -> list[Message]:
    """Build the messages for a record of Kafka topic `name` that could not be handled.

    They are the dead letter and, for a record about a problem, `problem.parked`. A problem is not parked by a service
    on a side branch, nor when it is an audit or reverify item, which the planner does not count.
    """
    # text of a model may contain half a surrogate pair, which cannot be encoded
    message = f"{failure.error}"[:REASON_LIMIT].encode(errors="backslashreplace").decode()
    reason = {
        SERVICE_HEADER: failure.service,
        "chimera-error": type(failure.error).__name__,
        "chimera-message": message,
        "chimera-attempts": str(failure.attempts),
        "chimera-kafka-topic": name,
        PARTITION: str(record.partition),
        OFFSET: str(record.offset),
    }
    headers = [*original_headers(record.headers), *((header, text.encode()) for header, text in reason.items())]
    messages = [Message(DEAD_LETTERS, record.key, record.value, headers)]
    if problem := parked_problem(name, failure.service, record.key, record.headers):
        parked = ProblemParked.root(
            derive(problem, f"{name}/{record.partition}", record.offset),
            failure.service,
            problem_id=problem,
            service=failure.service,
            error=type(failure.error).__name__,
            message=message,
        )
        messages.append(encode(parked, f"{failure.factory}/{failure.service}"))
    return messages


def parked_problem(name: str, service: str, key: bytes | None, headers: Iterable[tuple[str, bytes]]) -> UUID | None:
    """Return the problem that a dead letter of a service parks; `None` when it parks none, or the key is malformed."""
    flow = BY_TYPE.get(name)
    if flow is None or not issubclass(flow.event, ItemEvent | ProblemRequested) or key is None:
        return None
    if is_side_branch(service) or dict(headers).keys() & {AUDIT_HEADER, RUN_HEADER}:
        return None
    try:
        return UUID(key.decode())
    except ValueError:
        return None
