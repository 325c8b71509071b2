"""What the two kinds of one-replica services share: one member works through all partitions in batches, others wait."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterable
from time import monotonic, time

from schemas.events import Event
from schemas.flow import consumed_by
from shared.backoff import backoff
from shared.config.settings import Settings
from shared.errors import Invalid, Transient
from shared.kafka.clients import (
    ConsumerRebalanceListener,
    ConsumerRecord,
    KafkaError,
    Producer,
    TopicPartition,
    create_group_consumer,
    leave_group,
    poll,
)
from shared.kafka.codec import decode
from shared.kafka.consume.assignors import SingleActiveAssignor
from shared.kafka.dlq.dead_letter import Failure, is_addressed_to, to_record
from shared.kafka.names import flow_name, group, kafka_topic
from shared.telemetry.metrics import AGE, DURATION, EVENTS, IN_FLIGHT

log = logging.getLogger(__name__)

POLL_MS = 100


class SingleActiveLoop(ConsumerRebalanceListener):  # type: ignore[misc]
    """Takes batches in order. A subclass says where to begin (`take_over`) and what a batch does (`handle`)."""

    gather_s = 0.0
    """How long a batch is gathered after its first records, in seconds."""

    def __init__(self, settings: Settings, producer: Producer) -> None:
        self.settings = settings
        self.producer = producer
        self.consumer = create_group_consumer(
            settings.kafka_access, group(settings.factory, settings.service), settings.session_s, SingleActiveAssignor
        )
        self._partitions: set[TopicPartition] = set()
        self._assigned = False
        self._taken_over = False
        self._stopping = asyncio.Event()
        self._batch_lock = asyncio.Lock()

    @abstractmethod
    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Load what is needed and seek every partition to where the work goes on."""

    @abstractmethod
    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Do the work of a batch; on return it is durable and committed."""

    def why_not_ready(self) -> str | None:
        """A replica that stands by is ready: it takes over at once."""
        if self._stopping.is_set():
            return "stopping"
        if not self._assigned:
            return "no partitions assigned yet"
        return None if self._taken_over or not self._partitions else "taking over"

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Work until told to stop, then leave the group."""
        await self.consumer.start()
        try:
            topics = [kafka_topic(self.settings.factory, flow.name) for flow in consumed_by(self.settings.service)]
            self.consumer.subscribe(topics, listener=self)
            while not self._stopping.is_set():
                await self._run_batch()
        finally:
            await leave_group(self.consumer)

    @property
    def can_proceed(self) -> bool:
        """Whether this replica is still the one that works, and was not told to stop."""
        return self._taken_over and not self._stopping.is_set()

    async def _run_batch(self) -> None:
        async with self._batch_lock:
            if (partitions := self._partitions) and not self._taken_over:
                try:
                    await self.take_over(partitions)
                except Transient as error:
                    log.warning("cannot take over yet, tried again: %s", error)
                    await asyncio.sleep(backoff(self.settings.backoff_s, 3))
                else:
                    if partitions is self._partitions:
                        self._taken_over = True
                        self.consumer.resume(*partitions)
        records = await self._collect()
        async with self._batch_lock:
            # Revoked while it was gathered: all of it comes again, after the next `take_over`.
            if self._taken_over and records:
                await self._measured(records)

    async def _measured(self, records: list[ConsumerRecord]) -> None:
        service, now, started = self.settings.service, time(), monotonic()
        for record in records:
            AGE.labels(service, self.name_of(record)).observe(max(0.0, now - record.timestamp / 1000))
        with IN_FLIGHT.labels(service).track_inprogress():
            await self.handle(records)
        for record in records:
            DURATION.labels(service, self.name_of(record)).observe(monotonic() - started)

    async def _collect(self) -> list[ConsumerRecord]:
        clock, room = asyncio.get_running_loop().time, self.settings.batch_events
        records = await self._poll(POLL_MS, room)
        until = clock() + self.gather_s
        while records and self.can_proceed and len(records) < room and (left := until - clock()) > 0:
            records += await self._poll(int(left * 1000), room - len(records))
        return records

    async def _poll(self, timeout_ms: int, room: int) -> list[ConsumerRecord]:
        batches = await poll(self.consumer, self._stopping, timeout_ms=timeout_ms, max_records=room)
        return [record for records in batches.values() for record in records]

    async def decoded(self, records: Iterable[ConsumerRecord]) -> list[tuple[ConsumerRecord, Event]]:
        """Decode a batch; what is no event becomes a dead letter."""
        good = []
        for record in records:
            if not is_addressed_to(self.settings.service, record.headers):
                continue
            try:
                good.append((record, decode(self.name_of(record), record.key, record.value, record.headers)))
            except Invalid as error:
                await self.to_dead_letter(record, error)
        return good

    async def to_dead_letter(self, record: ConsumerRecord, error: BaseException) -> None:
        """Make a record a dead letter."""
        name = self.name_of(record)
        log.error("dead letter: %s %d/%d: %s", name, record.partition, record.offset, error)
        failure = Failure(self.settings.factory, self.settings.service, error, attempts=1)
        await self.producer.publish(to_record(name, record, failure))
        EVENTS.labels(self.settings.service, name, "dead_letter").inc()

    async def start_at(self, offsets: dict[TopicPartition, int]) -> None:
        """Read on from here. Committed too: the predecessor may have died before it could, with nothing coming after.

        Then the lag of finished work would stay, and whoever waits for the end of all work would wait for ever.
        """
        for partition, offset in offsets.items():
            self.consumer.seek(partition, offset)
        await self.commit(offsets)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Commit for whoever watches the lag. The place to go on from lies with the state, so a failure is harmless."""
        try:
            await self.consumer.commit(offsets)
        except KafkaError as error:
            log.warning("commit failed, it is made good with the next batch: %s", error)

    def name_of(self, record: ConsumerRecord) -> str:
        """Name of the record's Kafka topic in the flow."""
        return flow_name(self.settings.factory, record.topic)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Finish the batch under way, then let go: until this returns, nobody else takes over."""
        try:
            async with asyncio.timeout(self.settings.drain_s), self._batch_lock:
                self._release()
        except TimeoutError:
            log.warning("a batch was not finished before the rebalance; it is repeated by whoever comes next")
            self._release()

    def _release(self) -> None:
        self._taken_over = False
        self._partitions = set()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Take everything, or stand by. Nothing is fetched yet: the group's offsets are not where the work goes on."""
        self.consumer.pause(*assigned)
        self._partitions = set(assigned)
        self._assigned = True
        others = "" if assigned else f", standing by: {SingleActiveAssignor.active_member or 'another one'} works"
        log.info("assigned %d partitions%s", len(assigned), others)


def next_offsets(records: Iterable[ConsumerRecord]) -> dict[TopicPartition, int]:
    """Offsets to commit once these records are finished."""
    offsets: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
    return offsets
