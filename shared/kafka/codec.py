"""Event ⇄ record: the value is the event as JSON, the envelope CloudEvents 1.0 in binary mode plus W3C traceparent.

The tag of an audit item is only in the envelope: a handler cannot tell its events from others.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from schemas.audit_tag import AuditTag
from schemas.events import Event
from schemas.flow import BY_TYPE, EVENT_LIMIT
from schemas.run_tag import RunTag
from shared.audit_items import divert
from shared.errors import Invalid
from shared.ports import Forwarded, Tag, TaggedEvent

AUDIT_HEADER = "ce_audit"
"""Header with the tag of an audit item: a CloudEvents extension."""
RUN_HEADER = "ce_run"
"""Header with the tag of a copy of a stored problem."""

ADDRESSEE_HEADER = "ce_addressee"
"""Header with the one service that is to handle a record: a CloudEvents extension, read before decoding."""

TRACEPARENT = "traceparent"

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be produced; `name` is the Kafka topic without the factory's prefix."""

    name: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def encode(event: Event, source: str, tag: Tag | None = None, addressee: str | None = None) -> Message:
    """Encode an event of `source` ("factory/service"), for all consumers or for one.

    Raises Invalid for an event larger than EVENT_LIMIT, which every reader would refuse.
    """
    value = event.__pydantic_serializer__.to_json(event)  # `model_dump_json` without two copies
    if len(value) > EVENT_LIMIT:
        raise Invalid(f"{event.type} of {len(value):,} bytes is larger than {EVENT_LIMIT:,}")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(event.id),
        "ce_source": f"/{source}",
        "ce_type": ce_type(event),
        "content-type": "application/json",
        TRACEPARENT: f"00-{event.trace.hex}-{event.id.hex[:16]}-01",
    }
    if addressee := addressee or event.addressee:
        headers[ADDRESSEE_HEADER] = addressee
    if tag:
        headers[AUDIT_HEADER if isinstance(tag, AuditTag) else RUN_HEADER] = tag.model_dump_json()
    return Message(event.type, event.key.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def encode_outputs(
    produced: Iterable[Event | TaggedEvent | Forwarded], source: str, tag: Tag | None
) -> Iterator[Message]:
    """Encode the events produced from a record, with its tag. The end of a tagged item becomes another event, or none.

    Raises as `encode`.
    """
    for output in produced:
        event = output if isinstance(output, Event) else output.event
        its_tag = output.tag if isinstance(output, TaggedEvent) else tag
        published = divert(event, its_tag)
        if isinstance(output, Forwarded) and published is event:
            published = output.then
        if published:
            yield encode(published, source, its_tag)


def ce_type(event: Event | type[Event]) -> str:
    """CloudEvents type, with the major version."""
    return f"chimera.{event.type}.v{event.major}"


def decode(name: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event:
    """Decode a record of the Kafka topic `name`; keeps unknown fields. Raises Invalid with the reason."""
    if value is None:
        raise Invalid("the value is null")
    if len(value) > EVENT_LIMIT:
        raise Invalid(f"the value has {len(value):,} bytes, an event at most {EVENT_LIMIT:,}")
    event_class = BY_TYPE[name].event
    headers = list(headers)
    envelope = dict(headers)
    if (declared := (envelope.get("ce_type") or b"").decode(errors="replace")) != ce_type(event_class):
        raise Invalid(f"ce_type is {declared or 'missing'}, expected {ce_type(event_class)}")
    try:
        # a plan file may hold no unknown field; a plan in an event may come from a later version
        event = event_class.model_validate_json(value, extra="allow")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Invalid(f"{'.'.join(map(str, first['loc'])) or 'value'}: {first['msg']}") from error
    if event.id != event_class.derive_id(event.cause):
        raise Invalid(f"id {event.id} is not derived from its cause")
    if envelope.get("ce_id") != str(event.id).encode():
        raise Invalid("ce_id differs from the id of the event")
    if key != event.key.encode():
        raise Invalid(f"the record's key is not {event.key}")
    tag_of(headers)
    return event


def tag_of(headers: Iterable[tuple[str, bytes]]) -> Tag | None:
    """Read the tag of an audit item or of a copy; `None` for other records. Raises Invalid if malformed."""
    headers = list(headers)
    if (header := dict(headers).get(RUN_HEADER)) is None:
        return audit_tag_of(headers)
    try:
        return RunTag.model_validate_json(header)
    except ValidationError as error:
        raise Invalid(f"{RUN_HEADER} is not a valid tag of a run") from error


def audit_tag_of(headers: Iterable[tuple[str, bytes]]) -> AuditTag | None:
    """Read the tag of a record about an audit item; `None` for other records. Raises Invalid when it is malformed."""
    if (header := dict(headers).get(AUDIT_HEADER)) is None:
        return None
    try:
        return AuditTag.model_validate_json(header)
    except ValidationError as error:
        raise Invalid(f"{AUDIT_HEADER} is not a valid audit tag") from error


def pack(messages: Iterable[Message]) -> bytes:
    """Pack messages into one value for the idempotency store. Never empty."""
    messages = list(messages)
    try:
        return b"".join(_json([[m.name, m.key, m.value, m.headers] for m in messages]))
    except PydanticSerializationError:  # a dead letter's bytes that are not UTF-8
        rows = [[m.name, _text(m.key), _text(m.value), [[n, _text(v)] for n, v in m.headers]] for m in messages]
        return json.dumps(rows).encode()


def unpack(outcome: bytes) -> list[Message]:
    """Inverse of `pack`; an empty value gives no messages."""
    return [
        Message(name, _bytes(key), _bytes(value), [(header, cast(bytes, _bytes(text))) for header, text in headers])
        for name, key, value, headers in json.loads(outcome or b"[]")
    ]


def _json(value: object) -> Iterator[bytes]:
    """Yield the pieces of `json.dumps(value, ensure_ascii=False)`, with bytes as text, in a third of its time."""
    if not isinstance(value, list | tuple):
        yield to_json(value)
        return
    yield b"["
    for index, one in enumerate(value):
        if index:
            yield b", "
        yield from _json(one)
    yield b"]"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="surrogateescape")


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode(errors="surrogateescape")
