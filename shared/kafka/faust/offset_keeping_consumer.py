"""A Faust consumer that keeps the offset of each partition itself.

Faust commits the last acknowledged offset, even beyond records that it fetched and dropped around a rebalance, and
treats a gap as read (`Consumer._add_gap`, `_new_offset` in faust-streaming 0.15.3). Here the records of a partition
start one by one: the next record is the one at its offset, an earlier one has started already, and a later one shows
that records were dropped, which are then read again. They finish in any order. The offset is committed below which all
are finished.

Faust lets the broker hold an empty fetch for 1.5 s. A partition whose records are handled meanwhile is not in that
fetch: a second event of a problem that follows soon after the first would wait for its end. It also fetches the
partitions of its changelog once they are restored, and leaves what it has just written there in aiokafka's buffer, for
which aiokafka sends no fetch for 100 ms. Here only active partitions are fetched.
"""

import asyncio
import logging
import math
from collections.abc import Collection, Coroutine, Iterator
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from shared.kafka.clients import knows_coordinator
from shared.kafka.consume.group_consumer import FETCH_WAIT_MS
from shared.kafka.consume.offset_tracker import OffsetTracker

log = logging.getLogger(__name__)


class _Thread(AIOKafkaConsumerThread):
    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # Faust has no setting for it
        return consumer

    async def _fetch_records(self, consumer: Any, active_partitions: set[TP], *args: Any, **limits: Any) -> Any:
        inactive, paused = consumer.assignment() - active_partitions, consumer.paused()
        consumer.pause(*(inactive - paused))
        consumer.resume(*(paused - inactive))
        return await super()._fetch_records(consumer, active_partitions, *args, **limits)


class OffsetKeepingConsumer(Consumer):
    """Faust's consumer with its own offsets, and the tasks of the records that have started."""

    drain_s = 0.0
    """Longest wait for running records before partitions are given up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next: dict[TP, int] = {}
        self._trackers: dict[TP, OffsetTracker] = {}
        self.handling: set[asyncio.Task[None]] = set()
        self._is_giving_up = False
        """No record starts, from a revocation until the next assignment."""

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    @property
    def knows_coordinator(self) -> bool:
        """Whether it is in contact with the group's coordinator."""
        consumer = self._thread._consumer  # None until its thread has started
        return consumer is not None and knows_coordinator(consumer)

    def next_offset(self, partition: TP) -> int | None:
        """Offset of the next record to start; `None` before Faust has sought the committed offset."""
        return self._next.get(partition)

    def begin(self, partition: TP, offset: int, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start the next record. It is finished when `work` returns; otherwise no later offset is committed."""
        self._next[partition] = offset + 1
        tracker = self._trackers[partition]
        tracker.start(offset)

        def end(task: asyncio.Task[None]) -> None:
            self.handling.discard(task)
            if not task.cancelled() and task.exception() is None:
                tracker.finish(offset)

        task = asyncio.create_task(work)
        self.handling.add(task)
        task.add_done_callback(end)
        return task

    async def wait_empty(self) -> None:
        """Wait for running records, for a limited time, and commit. Faust calls it before it gives partitions up.

        The others are cancelled and read again: their state may be older than that of the partition's next owner.
        """
        self._is_giving_up = True
        self._next.clear()
        if self.handling:
            await asyncio.wait(self.handling, timeout=self.drain_s)
        await self.maybe_wait_for_commit_to_finish()
        await self.commit_and_end_transactions()
        for task in self.handling:
            task.cancel()
        self._trackers.clear()

    async def rewind(self, partition: TP) -> None:
        """Read a partition again from its next offset."""
        if (offset := self._next.get(partition)) is not None:
            log.warning("Faust dropped records; reading %s again from %d", partition, offset)
            await self.seek(partition, offset)

    async def partitions_with_dropped_records(self, topics: Collection[str]) -> list[TP]:
        """Partitions of which more was read than started. Call while no record is running."""
        return [
            partition
            for partition in self.assignment()
            if partition.topic in topics and (await self.position(partition) or 0) > self._next.get(partition, math.inf)
        ]

    async def seek_to_committed(self) -> Any:
        """Seek the committed offsets. Faust calls it after every assignment, and while it gives partitions up."""
        committed = await super().seek_to_committed()
        if self._is_giving_up:
            return committed
        for partition, offset in committed.items():
            self._next[TP(*partition)], self._trackers[TP(*partition)] = offset or 0, OffsetTracker()
        return committed

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let records start from the offsets that Faust seeks next."""
        self._is_giving_up = False
        await super().on_partitions_assigned(assigned, generation_id)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """Yield what is to be committed. Faust forgets what is acknowledged in a partition before it is given up."""
        yield from [tp for tp in self._trackers if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return tracker.committable if (tracker := self._trackers.get(tp)) else None

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do not treat a gap as read."""


class OffsetKeepingTransport(Transport):
    Consumer = OffsetKeepingConsumer
