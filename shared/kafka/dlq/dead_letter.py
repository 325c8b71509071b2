"""Dead letters: what could not be handled, with its original key, bytes and headers and why it failed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.events import Event, ItemEvent, ProblemParked, ProblemRequested
from schemas.flow import BY_TYPE, DEAD_LETTERS
from schemas.identity import derive
from shared.kafka.codec import AUDIT, Message, encode

REASON_LIMIT = 2000
OURS = "chimera-"
"""How the headers begin that a dead letter has besides the record's own."""
REFUSED_BY = "chimera-service"
MEANT_FOR = "chimera-for"
"""Header of a record that was put on the log again: whom it is for, when the others have handled it."""


def original(headers: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The headers that a record had at first."""
    return [(name, value) for name, value in headers if not name.startswith(OURS)]


def meant_for(service: str, headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a service is to handle a record."""
    whom = dict(headers).get(MEANT_FOR)
    return whom is None or whom == service.encode()


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record as it was read; aiokafka's ConsumerRecord serves as well."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Who failed on a record, how often, and the last error."""

    factory: str
    service: str
    error: BaseException
    attempts: int


def to_record(name: str, record: SourceRecord, failure: Failure) -> list[Message]:
    """Build the messages that put a record of Kafka topic `name` aside.

    The dead letter itself, and `problem.parked` when the record was about a problem; not about an audit item, which the
    planner never asked for.
    """
    # what a model wrote may hold half a surrogate pair, which no record can carry
    message = f"{failure.error}"[:REASON_LIMIT].encode(errors="backslashreplace").decode()
    reason = {
        REFUSED_BY: failure.service,
        "chimera-error": type(failure.error).__name__,
        "chimera-message": message,
        "chimera-attempts": str(failure.attempts),
        "chimera-kafka-topic": name,
        "chimera-partition": str(record.partition),
        "chimera-offset": str(record.offset),
    }
    headers = [*original(record.headers), *((header, text.encode()) for header, text in reason.items())]
    messages = [Message(DEAD_LETTERS, record.key, record.value, headers)]
    audited = AUDIT in dict(record.headers)
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
    """Tell which problem a record is about from its key alone; `None` when it is about none, or cannot be told."""
    if not issubclass(event, ItemEvent | ProblemRequested) or key is None:
        return None
    try:
        return UUID(key.decode())
    except ValueError:
        return None
