"""The processing pipeline around all consumer loops: decoding, metrics, traces, dead letters, failure counters.

A loop decides when a record is handled and committed. Everything that is the same for each record is done here.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, time

from schemas.events import Event
from schemas.flow import BY_TYPE
from shared.config.settings import Settings
from shared.kafka.clients import Producer
from shared.kafka.codec import TRACEPARENT, Message, decode
from shared.kafka.dlq.dead_letter import Failure, SourceRecord, is_addressed_to, to_record
from shared.kafka.names import flow_name
from shared.runtime.flood_guard import FloodGuard
from shared.telemetry.logs import about
from shared.telemetry.metrics import AGE, DURATION, EVENTS, EVENTS_PER_SECOND, IN_FLIGHT, PRODUCED
from shared.telemetry.recent_rate import RecentRate
from shared.telemetry.traces import handling

log = logging.getLogger(__name__)

_TRACE_ID = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-01")


class Processor:
    """Processes the records of one service."""

    def __init__(self, settings: Settings, producer: Producer) -> None:
        self.source = f"{settings.factory}/{settings.service}"
        self._settings = settings
        self._producer = producer
        self._rate = RecentRate()
        EVENTS_PER_SECOND.labels(settings.service).set_function(self._rate.per_second)
        self.guard = FloodGuard(settings.service, settings.bugs_in_a_row)

    def name_of(self, record: SourceRecord) -> str:
        """Return the name in the flow of a record's Kafka topic."""
        return flow_name(self._settings.factory, record.topic)

    def is_addressed(self, record: SourceRecord) -> bool:
        """Whether this service is to handle a record: a replayed record is for one service only."""
        return is_addressed_to(self._settings.service, record.headers)

    def decode(self, record: SourceRecord) -> Event:
        """Decode a record. Raises Invalid."""
        return decode(self.name_of(record), record.key, record.value, record.headers)

    @contextmanager
    def measure(self, records: Sequence[SourceRecord]) -> Iterator[None]:
        """Export age, number in flight and, without an exception, duration of records."""
        service, now, started = self._settings.service, time(), monotonic()
        for record in records:
            AGE.labels(service, self.name_of(record)).observe(max(0.0, now - record.timestamp / 1000))
        with IN_FLIGHT.labels(service).track_inprogress():
            yield
        for record in records:
            DURATION.labels(service, self.name_of(record)).observe(monotonic() - started, _exemplar(record))

    @contextmanager
    def context(self, event: Event) -> Iterator[None]:
        """Attach log lines and spans to an event."""
        with about(event), handling(event, self._settings.service):
            yield

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish messages; on return all are acknowledged and counted."""
        messages = list(messages)
        await self._producer.publish(messages)
        for message in messages:
            if message.name in BY_TYPE:
                PRODUCED.labels(self._settings.service, message.name).inc()

    def count(self, record: SourceRecord, outcome: str) -> None:
        """Count a finished record by its outcome: done, repeated or dead_letter."""
        EVENTS.labels(self._settings.service, self.name_of(record), outcome).inc()
        self._rate.count()

    def build_dead_letter(self, record: SourceRecord, error: BaseException, attempts: int = 1) -> list[Message]:
        """Log a failure and build its dead letter."""
        name = self.name_of(record)
        log.error("dead letter: %s %d/%d: %s", name, record.partition, record.offset, error)
        return to_record(name, record, Failure(self._settings.factory, self._settings.service, error, attempts))

    async def to_dead_letter(self, record: SourceRecord, error: BaseException) -> None:
        """Make a record a dead letter."""
        await self.publish(self.build_dead_letter(record, error))
        self.count(record, "dead_letter")


def _exemplar(record: SourceRecord) -> dict[str, str] | None:
    match = _TRACE_ID.fullmatch(dict(record.headers).get(TRACEPARENT) or b"")
    return {"trace_id": match[1].decode()} if match else None
