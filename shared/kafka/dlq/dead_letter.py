"""Builds dead letters: records that could not be handled, with original key, bytes and headers, and the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.events import Event, ItemEvent, ProblemParked, ProblemRequested
from schemas.flow import BY_TYPE, DEAD_LETTERS
from schemas.identity import derive
from shared.kafka.codec import AUDIT_HEADER, Message, encode

REASON_LIMIT = 2000
HEADER_PREFIX = "chimera-"
"""Prefix of the headers that a dead letter adds to the record's own."""
SERVICE_HEADER = "chimera-service"
ADDRESSEE_HEADER = "chimera-for"
"""Header of a replayed record: the one service that is to handle it."""


def original_headers(headers: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Headers of a record without those of dead letters and replays."""
    return [(name, value) for name, value in headers if not name.startswith(HEADER_PREFIX)]


def is_addressed_to(service: str, headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a service is to handle a record. All are, except for a replayed record."""
    addressee = dict(headers).get(ADDRESSEE_HEADER)
    return addressee is None or addressee == service.encode()


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A consumed record; aiokafka's ConsumerRecord has the same attributes."""

    partition: int
    offset: int
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

    They are the dead letter and, for a record about a problem, `problem.parked`. An audit item is not parked: the
    planner does not count it.
    """
    # text of a model may contain half a surrogate pair, which cannot be encoded
    message = f"{failure.error}"[:REASON_LIMIT].encode(errors="backslashreplace").decode()
    reason = {
        SERVICE_HEADER: failure.service,
        "chimera-error": type(failure.error).__name__,
        "chimera-message": message,
        "chimera-attempts": str(failure.attempts),
        "chimera-kafka-topic": name,
        "chimera-partition": str(record.partition),
        "chimera-offset": str(record.offset),
    }
    headers = [*original_headers(record.headers), *((header, text.encode()) for header, text in reason.items())]
    messages = [Message(DEAD_LETTERS, record.key, record.value, headers)]
    audited = AUDIT_HEADER in dict(record.headers)
    if (problem := problem_of(BY_TYPE[name].event, record.key)) and not audited:
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


def problem_of(event: type[Event], key: bytes | None) -> UUID | None:
    """Read from a record's key which problem it is about; `None` for another kind of event or a malformed key."""
    if not issubclass(event, ItemEvent | ProblemRequested) or key is None:
        return None
    try:
        return UUID(key.decode())
    except ValueError:
        return None
