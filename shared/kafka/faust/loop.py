"""Runs the join in Faust: events of one problem meet in a small table on a compacted changelog.

For each event (`at_least_once`): fold it into the state, store the state and wait until the changelog is acknowledged,
publish the decision and wait, store the tombstone. The tombstone's write is not awaited: when it is lost, the decision
is published again. Events with one key follow each other. Those with different keys are folded one by one, and then
wait side by side, so that what they write travels together.
Faust's own acknowledgements are ignored (see offset_keeping_consumer.py): after an exception the offset stays.
"""

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

from faust.types import TP, EventT

from schemas.events import Event
from schemas.flow import consumed_by
from shared.config.settings import Settings
from shared.errors import Invalid, Superseded
from shared.kafka.clients import Producer
from shared.kafka.codec import Message, encode_outputs, tag_of
from shared.kafka.consume.consumer_loop import NO_COORDINATOR
from shared.kafka.dlq.dead_letter import SourceRecord
from shared.kafka.faust.app import create_app, create_changelog_table
from shared.kafka.faust.offset_keeping_consumer import OffsetKeepingConsumer
from shared.kafka.names import kafka_topic
from shared.ports import Join
from shared.runtime.processor import Processor
from shared.telemetry.metrics import SUPERSEDED

log = logging.getLogger(__name__)

IDLE_CHECK_S = 1.0
"""Time without an event after which records that were read but not finished count as dropped."""

STATE_LIMIT = 1024 * 1024
"""Largest state of a problem in bytes; a larger one would fail in the changelog without an error here."""


class FaustLoop:
    """Runs a Join inside a Faust app. Reads the Kafka topics that the flow gives to the service.

    All have as many partitions as the changelog, so that events with one key meet in one process.
    """

    def __init__(self, join: Join, settings: Settings, producer: Producer) -> None:
        flows = consumed_by(settings.service)
        (partitions,) = {flow.partitions for flow in flows}
        self._join = join
        self._settings = settings
        self._processor = Processor(settings, producer)
        self._guard = self._processor.guard
        self._scratch = tempfile.TemporaryDirectory(prefix="chimera-faust-")
        self._app = create_app(settings, self._scratch.name, partitions)
        self._sources = [kafka_topic(settings.factory, flow.name) for flow in flows]
        source = self._app.topic(
            *self._sources,
            key_type=bytes,
            value_type=bytes,
            value_serializer="raw",
            partitions=partitions,
        )
        self._states = create_changelog_table(self._app, partitions)
        self._app.agent(source, concurrency=1)(self._work)
        self._folding = asyncio.Lock()
        self._latest: dict[bytes | None, asyncio.Task[None]] = {}
        """By key, the event that started last and has not ended."""
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._last_event = 0.0
        self._rewound: dict[TP, int] = {}

    def why_not_ready(self) -> str | None:
        """Return why no records can be consumed; `None` when they can."""
        if self._stopping.is_set():
            return "stopping"
        if self._app.rebalancing or not self._app.started:
            return "no partitions assigned yet"
        if not self._consumer.knows_coordinator:
            return NO_COORDINATOR
        return self._guard.why_stopped() if self._app.flow_control.is_active() else "reading the changelog"

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`, then commit and leave the group. Raises the error that stopped it."""
        self._app.finalize()
        self._consumer.drain_s = self._settings.drain_s
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(self._stopping.wait())]
        try:
            await self._app.start()
            tasks += [asyncio.create_task(self._app.wait_until_stopped()), asyncio.create_task(self._watch())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await self._app.stop()
            self._scratch.cleanup()
        if reason := self._failure or self._app.crash_reason:
            raise reason

    async def _work(self, stream: Any) -> None:
        async for event in stream.events():
            try:
                await self._take(event)
            except Exception as error:  # noqa: BLE001 - raised by `run`; the offset stays
                self._fail(error)
                return

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stopping.set()

    async def _take(self, event: EventT[Any]) -> None:
        """Start an event that is next in its partition; read the partition again when records were dropped."""
        message, consumer = event.message, self._consumer
        while len(consumer.handling) >= self._settings.in_flight:
            await asyncio.wait(consumer.handling, return_when=asyncio.FIRST_COMPLETED)
        self._last_event = asyncio.get_running_loop().time()
        expected = consumer.next_offset(message.tp)
        if message.offset == expected:
            if not self._stopping.is_set():
                work = self._finish(event, self._latest.get(message.key))
                task = self._latest[message.key] = consumer.begin(message.tp, message.offset, work)
                task.add_done_callback(partial(self._end, message.key))
        elif expected is not None and message.offset > expected and self._rewound.get(message.tp) != expected:
            self._rewound[message.tp] = expected
            await consumer.rewind(message.tp)

    def _end(self, key: bytes | None, task: asyncio.Task[None]) -> None:
        if self._latest.get(key) is task:
            del self._latest[key]
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    async def _watch(self) -> None:
        """Find dropped records that no later record reveals."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(IDLE_CHECK_S)
            quiet = not self._consumer.handling and clock() - self._last_event > IDLE_CHECK_S
            if quiet and self._app.flow_control.is_active():
                for partition in await self._consumer.partitions_with_dropped_records(self._sources):
                    await self._consumer.rewind(partition)

    @property
    def _consumer(self) -> OffsetKeepingConsumer:
        return cast(OffsetKeepingConsumer, self._app.consumer)

    async def _finish(self, source: EventT[Any], earlier: asyncio.Task[None] | None) -> None:
        """Handle an event, after the `earlier` one with the same key. Faust's table needs `source` until the end."""
        if earlier:
            await asyncio.shield(earlier)
        record = _to_record(source.message)
        if not self._processor.is_addressed(record):
            return
        with self._processor.measure([record]):
            try:
                event = self._processor.decode(record)
            except Invalid as error:
                await self._processor.to_dead_letter(record, error)
            else:
                with self._processor.context(event):
                    async with self._folding:
                        decided = await self._fold(record, event)
                    if decided:
                        await self._store(event, *decided)
                        self._processor.count(record, "done")

    async def _fold(self, record: SourceRecord, event: Event) -> tuple[bytes, list[Message], bytes] | None:
        """Join an event, or make it a dead letter. While the service is stopped, try again."""
        while True:
            try:
                decided = self._decide(record, event)
            except Superseded as superseded:
                log.warning("dropped: %s", superseded)
                SUPERSEDED.labels(self._settings.service, self._processor.name_of(record)).inc()
                self._processor.count(record, "repeated")
                return None
            except Exception as error:
                if not isinstance(error, Invalid):
                    log.exception("a bug in the join")
                if self._guard.record_failure(error):
                    await self._processor.to_dead_letter(record, error)
                    return None
                await self._wait_for_next_try()
            else:
                self._guard.record_success()
                return decided

    async def _wait_for_next_try(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._guard.next_wait_s())
            raise asyncio.CancelledError

    def _decide(self, record: SourceRecord, event: Event) -> tuple[bytes, list[Message], bytes]:
        state, decided, tombstone = self._join(self._states.get(event.key.encode()), event)
        if len(state) > STATE_LIMIT:
            raise Invalid(f"the state of {event.key} has {len(state):,} bytes, more than {STATE_LIMIT:,}")
        messages = encode_outputs(decided, self._processor.source, tag_of(record.headers))
        return state, list(messages), tombstone

    async def _store(self, event: Event, state: bytes, messages: list[Message], tombstone: bytes) -> None:
        key = event.key.encode()
        if state != self._states.get(key):
            await self._states.write(key, state)
        await self._processor.publish(messages)
        if tombstone != state:
            self._states[key] = tombstone


def _to_record(message: Any) -> SourceRecord:
    """Convert a message of Faust, whose timestamp is in seconds."""
    headers = list(message.headers.items() if isinstance(message.headers, Mapping) else message.headers or ())
    return SourceRecord(
        message.topic,
        message.partition,
        message.offset,
        int(message.timestamp * 1000),
        message.key,
        message.value,
        headers,
    )
