"""The loop of single-active services: one member consumes all partitions in batches, the others stand by."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterable
from contextlib import suppress

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
    knows_coordinator,
    leave_group,
    poll,
)
from shared.kafka.consume.added_partitions import AddedPartitions
from shared.kafka.consume.assignors import SingleActiveAssignor
from shared.kafka.consume.consumer_loop import NO_COORDINATOR, NO_PARTITION
from shared.kafka.names import group, kafka_topic
from shared.runtime.commit_pace import CommitPace
from shared.runtime.processor import Processor

log = logging.getLogger(__name__)

POLL_MS, IDLE_POLL_MS = 100, 1_000


class _Abandoned(Exception):
    """A batch was not finished, because the replica stops or is no longer active. It is delivered again."""


class SingleActiveLoop(ConsumerRebalanceListener):  # type: ignore[misc]
    """Consumes batches in order. A subclass implements `take_over`, which loads its state, and `handle`."""

    def __init__(self, settings: Settings, producer: Producer, period_s: float = 0.0) -> None:
        """Under steady load a batch begins once in `period_s` seconds."""
        self.settings = settings
        self._pace = CommitPace(period_s)
        self.processor = Processor(settings, producer)
        self.consumer = create_group_consumer(
            settings.kafka_access, group(settings.factory, settings.service), settings.session_s, SingleActiveAssignor
        )
        self._added = AddedPartitions(self.consumer, settings.kafka_access, settings.factory)
        self._partitions: set[TopicPartition] = set()
        self._assigned = False
        self._taken_over = False
        self._stopping = asyncio.Event()
        self._batch_lock = asyncio.Lock()

    @abstractmethod
    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Load the state, and seek every partition to its resume offset."""

    @abstractmethod
    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Handle a batch; on return it is durable and committed."""

    async def idle(self) -> None:
        """Called between batches when there is no record."""

    async def finish(self) -> None:
        """Finish what runs beside the batches. Called before the partitions are released."""

    def why_not_ready(self) -> str | None:
        """Return why the replica is not ready; None also for one that stands by, which can take over."""
        if self._stopping.is_set():
            return "stopping"
        if not self._assigned:
            return "no partitions assigned yet"
        if not knows_coordinator(self.consumer):
            return NO_COORDINATOR
        if self._partitions and not self._taken_over:
            return "taking over"
        return self.processor.guard.why_stopped()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`, then leave the group."""
        await self.consumer.start()
        try:
            topics = [kafka_topic(self.settings.factory, flow.name) for flow in consumed_by(self.settings.service)]
            self.consumer.subscribe(topics, listener=self)
            while not self._stopping.is_set():
                await self._run_batch()
            await self.finish()
        finally:
            await leave_group(self.consumer)

    @property
    def can_proceed(self) -> bool:
        """Whether this replica is still the active one, and does not stop."""
        return self._taken_over and not self._stopping.is_set()

    async def _run_batch(self) -> None:
        async with self._batch_lock:
            if (partitions := self._partitions) and not self._taken_over:
                try:
                    await self.take_over(partitions)
                except Transient as error:
                    log.warning("cannot take over yet, retrying: %s", error)
                    await asyncio.sleep(backoff(self.settings.backoff_s, 3))
                else:
                    if partitions is self._partitions:
                        self._taken_over = True
                        self.consumer.resume(*partitions)
        records = await self._collect()
        async with self._batch_lock:
            # a batch that was revoked meanwhile is delivered again, after the next `take_over`
            if self._taken_over and records:
                with suppress(_Abandoned), self.processor.measure(records):
                    await self.handle(records)
            elif self._taken_over:
                await self.idle()

    async def _collect(self) -> list[ConsumerRecord]:
        """Return what has arrived, now or after a delay. While a batch is handled, the client fetches the next one."""
        clock, room = asyncio.get_running_loop().time, self.settings.batch_events
        records = await self._poll(IDLE_POLL_MS if self._taken_over and self.consumer.is_idle else POLL_MS, room)
        until = clock() + self._pace.delay_s(clock())
        while records and self.can_proceed and len(records) < room and (left := until - clock()) > 0:
            records += await self._poll(int(left * 1000), room - len(records))
        if records:
            self._pace.record(clock())
        return records

    async def _poll(self, timeout_ms: int, room: int) -> list[ConsumerRecord]:
        batches = await poll(
            self.consumer,
            self._stopping,
            timeout_ms=timeout_ms,
            max_records=room,
            start_added=self._added.start,
        )
        return [record for records in batches.values() for record in records]

    async def decode(self, records: Iterable[ConsumerRecord]) -> list[tuple[ConsumerRecord, Event]]:
        """Decode a batch; records that are not events become dead letters."""
        decoded = []
        for record in filter(self.processor.is_addressed, records):
            try:
                decoded.append((record, self.processor.decode(record)))
            except Invalid as error:
                await self.processor.to_dead_letter(record, error)
        return decoded

    async def gave_up(self, record: ConsumerRecord, error: Exception) -> bool:
        """Make a failed record a dead letter. While the service is stopped, wait for the next try and return False."""
        if self.processor.guard.record_failure(error):
            await self.processor.to_dead_letter(record, error)
            return True
        clock = asyncio.get_running_loop().time
        until = clock() + self.processor.guard.next_wait_s()
        while clock() < until:
            if not self.can_proceed:
                raise _Abandoned
            await poll(  # stays in the group
                self.consumer, self._stopping, NO_PARTITION, timeout_ms=0, start_added=self._added.start
            )
            await asyncio.sleep(min(POLL_MS / 1000, max(0.0, until - clock())))
        return False

    async def start_at(self, offsets: dict[TopicPartition, int]) -> None:
        """Seek these offsets and commit them.

        The predecessor may have died before its commit, and without a further record its lag would stay for ever.
        """
        for partition, offset in offsets.items():
            self.consumer.seek(partition, offset)
        await self.commit(offsets)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Commit for those who read the lag. A failure is harmless: the resume offsets are part of the state."""
        if not offsets:
            return
        try:
            await self.consumer.commit(offsets)
        except KafkaError as error:
            log.warning("commit failed, the next batch commits again: %s", error)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Finish the present batch, then release the partitions: no other member takes over before this returns."""
        try:
            async with asyncio.timeout(self.settings.drain_s), self._batch_lock:
                self._taken_over = False
                await self.finish()
        except TimeoutError:
            log.warning("a batch was not finished before the rebalance; the next active replica repeats it")
        finally:
            self._taken_over = False
            self._partitions = set()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Take all partitions, or stand by. They stay paused: `take_over` seeks the resume offsets first."""
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
