"""The way in for Faust: joins events by problem id in a small table on a compacted changelog.

One event at a time (`concurrency=1`, `at_least_once`). For each: fold it into the case, store the case, wait until the
changelog is acknowledged, publish what the case decided, wait again, store what is left of the case, and only then move
the partition's place on. That last write is not waited for: where it is lost, the decision is kept and published again.
What Faust itself acknowledges counts for nothing (faust_place.py says why): an exception or a cancelled agent leaves
the place where it was. A changelog write that fails is not reported to an agent: hence the table that hands out its
acknowledgements.
"""

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from time import monotonic, time
from typing import Any, cast

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types import TP, EventT

from schemas.events import Event
from schemas.flow import consumed_by
from shared.config.connections import KafkaAccess
from shared.config.settings import Settings
from shared.errors import Invalid, Refusal
from shared.kafka.clients import RECORD_LIMIT, Producer
from shared.kafka.codec import Message, audit_tag_of, decode, encode_outputs
from shared.kafka.dlq.dead_letter import Failure, SourceRecord, is_addressed_to, to_record
from shared.kafka.faust.offset_keeping_consumer import OffsetKeepingConsumer, OffsetKeepingTransport
from shared.kafka.names import group, kafka_topic
from shared.ports import Join
from shared.telemetry.logs import about
from shared.telemetry.metrics import AGE, DURATION, EVENTS, IN_FLIGHT, PRODUCED
from shared.telemetry.traces import handling

log = logging.getLogger(__name__)

IDLE_CHECK_S = 1.0
"""So long without an event, and what was read but not finished has been dropped."""

STATE_LIMIT = 1024 * 1024
"""Largest case in bytes; a larger one would fail in the changelog, unheard."""


MAX_POLL_RECORDS = 500
"""Records unpacked at once; without a limit it is all that was fetched, for a changelog hundreds of MB."""


class FaustLoop:
    """Runs a Join inside a Faust app. Reads the one Kafka topic that the flow gives to the service."""

    def __init__(self, join: Join, settings: Settings, producer: Producer) -> None:
        (self._flow,) = consumed_by(settings.service)
        self._join = join
        self._settings = settings
        self._producer = producer
        self._scratch = tempfile.TemporaryDirectory(prefix="chimera-faust-")
        self._app = _app(settings, self._scratch.name)
        self._source = kafka_topic(settings.factory, self._flow.name)
        source = self._app.topic(
            self._source,
            key_type=bytes,
            value_type=bytes,
            value_serializer="raw",
            partitions=self._flow.partitions,
        )
        self._cases = _changelog_table(self._app, self._flow.partitions)
        self._app.agent(source, concurrency=1)(self._work)
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._last_event = 0.0
        self._went_back: dict[TP, int] = {}
        self._bugs = 0

    def why_not_ready(self) -> str | None:
        """Say why no records can come in; `None` when they can."""
        if self._stopping.is_set():
            return "stopping"
        if self._app.rebalancing or not self._app.started:
            return "no partitions assigned yet"
        return None if self._app.flow_control.is_active() else "reading the changelog"

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Work until told to stop, then commit and leave the group. Raises what stopped it."""
        self._app.finalize()
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
                await self._in_turn(event)
            except Exception as error:  # noqa: BLE001 - told by `run`; the place stays where it is
                self._failure = error
                self._stopping.set()
                return

    async def _in_turn(self, event: EventT[Any]) -> None:
        message, consumer = event.message, self._consumer
        self._last_event = asyncio.get_running_loop().time()
        expected = consumer.next_offset(message.tp)
        if message.offset == expected:
            await self._measured(event)
            consumer.advance(message.tp, message.offset)
        elif expected is not None and message.offset > expected and self._went_back.get(message.tp) != expected:
            self._went_back[message.tp] = expected
            await consumer.rewind(message.tp)

    async def _watch(self) -> None:
        """Look for records that were dropped with none behind them to show it."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(IDLE_CHECK_S)
            if self._app.flow_control.is_active() and clock() - self._last_event > IDLE_CHECK_S:
                for partition in await self._consumer.partitions_with_dropped_records(self._source):
                    await self._consumer.rewind(partition)

    @property
    def _consumer(self) -> OffsetKeepingConsumer:
        return cast(OffsetKeepingConsumer, self._app.consumer)

    async def _measured(self, raw: EventT[Any]) -> None:
        labels, started = (self._settings.service, self._flow.name), monotonic()
        AGE.labels(*labels).observe(max(0.0, time() - raw.message.timestamp))
        with IN_FLIGHT.labels(self._settings.service).track_inprogress():
            await self._finish(raw)
        DURATION.labels(*labels).observe(monotonic() - started)

    async def _finish(self, raw: EventT[Any]) -> None:
        message = raw.message
        headers = list(message.headers.items() if isinstance(message.headers, Mapping) else message.headers or ())
        if not is_addressed_to(self._settings.service, headers):
            return
        origin = SourceRecord(message.partition, message.offset, message.key, message.value, headers)
        try:
            event, case, messages, rest = self._decide(origin)
        except Invalid as error:
            await self._to_dead_letter(origin, error)
        except Exception as bug:
            log.exception("a bug in the join; the event is put aside")
            self._bugs += 1
            if self._bugs >= self._settings.bugs_in_a_row:
                raise Refusal(f"{self._bugs} events in a row failed by a bug", "The traceback is in the log") from bug
            await self._to_dead_letter(origin, bug)
        else:
            self._bugs = 0
            with about(event), handling(event, self._settings.service):
                await self._keep(event, case, messages, rest)
            EVENTS.labels(self._settings.service, self._flow.name, "done").inc()

    def _decide(self, origin: SourceRecord) -> tuple[Event, bytes, list[Message], bytes]:
        event = decode(self._flow.name, origin.key, origin.value, origin.headers)
        case, decided, rest = self._join(self._cases.get(event.key.encode()), event)
        if len(case) > STATE_LIMIT:
            raise Invalid(f"the case of {event.key} has {len(case):,} bytes, more than {STATE_LIMIT:,}")
        source = f"{self._settings.factory}/{self._settings.service}"
        return event, case, list(encode_outputs(decided, source, audit_tag_of(origin.headers))), rest

    async def _keep(self, event: Event, case: bytes, messages: list[Message], rest: bytes) -> None:
        key = event.key.encode()
        if case != self._cases.get(key):
            self._cases[key] = case
            await self._cases.acknowledged()
        await self._producer.publish(messages)
        for message in messages:
            PRODUCED.labels(self._settings.service, message.name).inc()
        if rest != case:
            self._cases[key] = rest

    async def _to_dead_letter(self, origin: SourceRecord, error: BaseException) -> None:
        log.error("dead letter: %s %d/%d: %s", self._flow.name, origin.partition, origin.offset, error)
        failure = Failure(self._settings.factory, self._settings.service, error, attempts=1)
        await self._producer.publish(to_record(self._flow.name, origin, failure))
        EVENTS.labels(self._settings.service, self._flow.name, "dead_letter").inc()


class _ChangelogTable(faust.Table[bytes, bytes]):
    """A table that can wait until its last change is acknowledged by the broker."""

    _last: asyncio.Future[Any] | None = None

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        self._last = super().send_changelog(*args, **kwargs)
        return self._last

    async def acknowledged(self) -> None:
        """Wait for the changelog. Raises what the broker refused it with."""
        if self._last is not None:
            await self._last


def _app(settings: Settings, scratch: str) -> faust.App:
    name, access = group(settings.factory, settings.service), settings.kafka_access
    app = faust.App(
        name,
        broker=f"kafka://{access.servers.replace(',', ';')}",
        broker_credentials=_credentials(access),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        datadir=scratch,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=RECORD_LIMIT,
        broker_max_poll_records=MAX_POLL_RECORDS,
        producer_max_request_size=RECORD_LIMIT,
        producer_compression_type="zstd",
        broker_session_timeout=settings.session_s,
        broker_request_timeout=max(90.0, settings.session_s),
        broker_commit_interval=0.5,
        stream_wait_empty=False,  # an event that failed is never acknowledged: a stop would wait for it for ever
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        loghandlers=[],
    )
    app.transport = OffsetKeepingTransport(app.conf.broker_consumer, app)
    return app


def _credentials(access: KafkaAccess) -> Credentials | None:
    context = access.tls.context() if access.tls else None
    if login := access.login:
        return SASLCredentials(
            username=login.username,
            password=login.password.get_secret_value(),
            mechanism=login.mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def _changelog_table(app: faust.App, partitions: int) -> _ChangelogTable:
    table = _ChangelogTable(
        app,
        name="cases",
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
    )
    app.tables.add(table)
    return table
