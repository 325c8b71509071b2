"""The consumer loop: polls records, handles many concurrently, commits last.

- A process at capacity polls no partition: it stays in the group during calls of minutes and keeps fetched records.
- A partition with too many finished records behind a slow one is paused. Every rebalance clears pauses, so they are
  applied again before every poll.
- A record that arrives again after a rebalance while it is still handled is not handled twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.kafka.clients import knows_coordinator, poll
from shared.kafka.consume.group_consumer import GroupConsumer
from shared.kafka.consume.offset_tracker import OffsetTracker

log = logging.getLogger(__name__)

POLL_MS, IDLE_POLL_MS = 200, 1_000
MAX_FULL_WAIT_S = 1.0
COMMIT_INTERVAL_S = 0.1
"""Shortest time between two commits: a commit costs the broker as much as some records."""
COMMIT_WITHIN_S = 1.0
COMMIT_RECORDS = 200
"""While records are running, finished ones are committed after this time, or at this number of them."""
COMMIT_TIMEOUT_S = 5.0
RECANCEL_S = 1.0
"""Interval of repeated cancellations: before Python 3.12 asyncio.wait_for may swallow one."""
NO_PARTITION = TopicPartition("", 0)
NO_COORDINATOR = "the coordinator of its consumer group does not answer"


class ConsumerLoop(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes records of the subscribed Kafka topics to `work`.

    `work` returns when its outputs are acknowledged or the record is a dead letter. An exception from it stops the
    loop; that record and all behind it stay uncommitted.
    """

    def __init__(
        self,
        consumer: GroupConsumer,
        work: Callable[[ConsumerRecord], Coroutine[None, None, None]],
        *,
        start_added: Callable[[TopicPartition], Awaitable[bool]],
        before_commit: Callable[[], Awaitable[None]],
        capacity: Callable[[], int],
        uncommitted: int,
        drain_s: float,
        idle_s: float = 0.0,
    ) -> None:
        """`poll` needs `start_added`; `capacity` returns how many records may be in flight.

        `before_commit` makes durable what finished records left to be written; offsets are committed after it.
        The loop stops after `idle_s` without records.
        """
        self._consumer = consumer
        self._work = work
        self._start_added = start_added
        self._before_commit = before_commit
        self._capacity = capacity
        self._uncommitted = uncommitted
        self._drain_s = drain_s
        self._idle_s = idle_s
        self._last_busy = 0.0
        self._trackers: dict[TopicPartition, OffsetTracker] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._running: dict[tuple[TopicPartition, int], asyncio.Task[None]] = {}
        self._capacity_freed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._last_commit = 0.0
        self._finished = 0
        """Records finished since the last commit."""
        self._assigned = False

    def why_not_ready(self) -> str | None:
        """Return why no records can be consumed; `None` when they can."""
        if self._stopping.is_set():
            return "stopping"
        if not self._assigned:
            return "no partitions assigned yet"
        return None if knows_coordinator(self._consumer) else NO_COORDINATOR

    async def run(self, topics: list[str]) -> None:
        """Consume until `stop`, then commit finished records. Raises what `work` raised."""
        self._consumer.subscribe(topics, listener=self)
        while not self._stopping.is_set() and self._failure is None:
            await self._poll()
            if self._commit_is_due(now := asyncio.get_running_loop().time()):
                self._last_commit, self._finished = now, 0
                await self._commit()
            if self._running or not self._assigned:
                self._last_busy = now
            elif self._idle_s and now >= self._last_busy + self._idle_s:
                log.info("no records for %g s, stopping", self._idle_s)
                self.stop()
        await self._commit()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Stop consuming."""
        self._stopping.set()
        self._capacity_freed.set()

    async def finish(self, within_s: float) -> bool:
        """Wait for the running records and cancel those that take longer. Returns whether all finished."""
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running.values(), timeout=within_s)
        left = late
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=RECANCEL_S)
        return not late

    async def _poll(self) -> None:
        self._apply_pauses()
        if (free := self._capacity() - len(self._running)) > 0:
            timeout_ms = IDLE_POLL_MS if self._consumer.is_idle and not self._running else POLL_MS
            batches = await poll(
                self._consumer, self._stopping, timeout_ms=timeout_ms, max_records=free, start_added=self._start_added
            )
        else:
            await self._wait_for_capacity()
            batches = await poll(
                self._consumer, self._stopping, NO_PARTITION, timeout_ms=0, start_added=self._start_added
            )
        for partition, records in batches.items():
            # records of a partition that was revoked meanwhile are delivered again, to its new owner
            if tracker := self._trackers.get(partition):
                for record in records:
                    self._start(partition, tracker, record)

    def _apply_pauses(self) -> None:
        paused = self._consumer.paused() if self._trackers else set()
        for partition in self._consumer.assignment() & self._trackers.keys():
            over = self._trackers[partition].uncommitted >= self._uncommitted
            if over and partition not in paused:
                self._consumer.pause(partition)
            elif not over and partition in paused:
                self._consumer.resume(partition)

    async def _wait_for_capacity(self) -> None:
        self._capacity_freed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._capacity_freed.wait(), MAX_FULL_WAIT_S)

    def _start(self, partition: TopicPartition, tracker: OffsetTracker, record: ConsumerRecord) -> None:
        tracker.start(record.offset)
        position = (partition, record.offset)
        if position in self._running:
            return
        task = asyncio.create_task(self._work(record))
        self._running[position] = task
        task.add_done_callback(lambda done: self._end(position, done))

    def _end(self, position: tuple[TopicPartition, int], task: asyncio.Task[None]) -> None:
        del self._running[position]
        partition, offset = position
        if task.cancelled():
            pass
        elif error := task.exception():
            self._failure = self._failure or error
        elif tracker := self._trackers.get(partition):
            tracker.finish(offset)
            self._finished += 1
        self._capacity_freed.set()

    def _commit_is_due(self, now: float) -> bool:
        waited_s = now - self._last_commit
        if self._running and self._finished < COMMIT_RECORDS:
            return waited_s >= COMMIT_WITHIN_S
        return waited_s >= COMMIT_INTERVAL_S

    async def _commit(self) -> None:
        offsets = {
            partition: tracker.committable
            for partition, tracker in self._trackers.items()
            if tracker.committable is not None and self._committed.get(partition) != tracker.committable
        }
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):  # the clients retry without limit
                await self._before_commit()
                if not offsets:
                    return
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.warning("commit refused, the records are delivered again: %s", error)
        except (KafkaError, TimeoutError) as error:
            log.warning("commit failed, retrying: %s: %s", type(error).__name__, error)
        else:
            self._committed.update(offsets)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Wait up to `drain_s` for running records and commit."""
        running = [task for (partition, _), task in self._running.items() if partition in revoked]
        if running:
            await asyncio.wait(running, timeout=self._drain_s)
        await self._commit()
        for partition in revoked:
            self._trackers.pop(partition, None)
            self._committed.pop(partition, None)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Track the new partitions."""
        self._trackers.update({partition: OffsetTracker() for partition in assigned})
        self._assigned = True
        log.info("assigned %d partitions", len(assigned))
