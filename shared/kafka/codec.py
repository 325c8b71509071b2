"""Event ⇄ record: the value is the event as JSON, the envelope CloudEvents 1.0 in binary mode plus W3C traceparent.

The mark of an audit item is in the envelope alone: what handles it sees an event like any other.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from schemas.audit_tag import AuditTag
from schemas.events import Event
from schemas.flow import BY_TYPE, EVENT_LIMIT
from shared.audit_items import divert
from shared.errors import Invalid
from shared.ports import TaggedEvent

AUDIT = "ce_audit"
"""Header with the mark of an audit item: a CloudEvents extension."""

TRACEPARENT = "traceparent"

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be produced; `name` is the Kafka topic without the factory's prefix."""

    name: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def encode(event: Event, source: str, mark: AuditTag | None = None) -> Message:
    """Encode an event of `source` ("factory/service").

    Raises Invalid for an event beyond EVENT_LIMIT: better refused here than by every reader.
    """
    value = event.model_dump_json().encode()
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
    if mark:
        headers[AUDIT] = mark.model_dump_json()
    return Message(event.type, event.key.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def outgoing(produced: Iterable[Event | TaggedEvent], source: str, mark: AuditTag | None) -> Iterator[Message]:
    """Encode what was made out of a record: all of it has the record's mark, and an audit item ends in its own way.

    Raises as `encode`.
    """
    for made in produced:
        event, its = (made.event, made.tag) if isinstance(made, TaggedEvent) else (made, mark)
        yield encode(divert(event, its), source, its)


def ce_type(event: Event | type[Event]) -> str:
    """CloudEvents type; carries the major version."""
    return f"chimera.{event.type}.v{event.major}"


def decode(name: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event:
    """Decode a record of the Kafka topic `name`. Unknown fields are kept; raises Invalid saying what is wrong."""
    if value is None:
        raise Invalid("the value is null")
    if len(value) > EVENT_LIMIT:
        raise Invalid(f"{len(value):,} bytes are more than the {EVENT_LIMIT:,} that an event may have")
    event_class = BY_TYPE[name].event
    headers = list(headers)
    envelope = dict(headers)
    if (found := (envelope.get("ce_type") or b"").decode(errors="replace")) != ce_type(event_class):
        raise Invalid(f"ce_type is {found or 'missing'}, expected {ce_type(event_class)}")
    try:
        # a plan in a file must not hold a field that nobody knows; one in an event may be of a later version
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
    mark_of(headers)
    return event


def mark_of(headers: Iterable[tuple[str, bytes]]) -> AuditTag | None:
    """The mark of a record about an audit item; raises Invalid when it is none."""
    if (found := dict(headers).get(AUDIT)) is None:
        return None
    try:
        return AuditTag.model_validate_json(found)
    except ValidationError as error:
        raise Invalid(f"{AUDIT} is no mark of an audit item") from error


def pack(messages: Iterable[Message]) -> bytes:
    """Pack messages into one value for the outcome record. Never empty."""
    return json.dumps(
        [
            (m.name, _text(m.key), _text(m.value), [(name, value.decode()) for name, value in m.headers])
            for m in messages
        ],
        ensure_ascii=False,
    ).encode()


def unpack(outcome: bytes) -> list[Message]:
    """Inverse of `pack`; nothing is unpacked from nothing."""
    return [
        Message(name, _bytes(key), _bytes(value), [(header, text.encode()) for header, text in headers])
        for name, key, value, headers in json.loads(outcome or b"[]")
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode()
