"""The intake loop: records in, many in flight, committed last.

- A full process polls no partition, which keeps it in the group while calls run for minutes, and keeps what is fetched.
- A partition with too many finished records behind a slow one is paused. A rebalance drops pause flags: they are
  applied again before every poll.
- A record that comes again after a rebalance while it still runs is not run twice: it waits for the running one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.kafka.clients import poll
from shared.kafka.consume.offset_tracker import OffsetTracker

log = logging.getLogger(__name__)

POLL_MS = 200
FULL_POLL_S = 1.0
COMMIT_EVERY_S = 0.1
COMMIT_WITHIN_S = 5.0
CANCEL_AGAIN_S = 1.0
"""A library may swallow a cancellation: asyncio.wait_for does, before Python 3.12, when its work ends just then."""
NO_PARTITION = TopicPartition("", 0)


class ConsumerLoop(ConsumerRebalanceListener):  # type: ignore[misc]
    """Feeds `work` with records of the subscribed Kafka topics.

    `work` returns when the record is finished for good: what it produced is acknowledged, or it is a dead letter.
    Whatever it raises stops the loop: that record, and all behind it, stay uncommitted.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        work: Callable[[ConsumerRecord], Coroutine[None, None, None]],
        *,
        capacity: Callable[[], int],
        uncommitted: int,
        drain_s: float,
        idle_s: float = 0.0,
    ) -> None:
        """`capacity` tells how many records may be under way at this moment. After `idle_s` without any it stops."""
        self._consumer = consumer
        self._work = work
        self._capacity = capacity
        self._uncommitted = uncommitted
        self._drain_s = drain_s
        self._idle_s = idle_s
        self._busy_at = 0.0
        self._progress: dict[TopicPartition, OffsetTracker] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._running: dict[tuple[TopicPartition, int], asyncio.Task[None]] = {}
        self._finished = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._next_commit = 0.0
        self._assigned = False

    def why_not_ready(self) -> str | None:
        """Say why no records can come in; `None` when they can."""
        if self._stopping.is_set():
            return "stopping"
        return None if self._assigned else "no partitions assigned yet"

    async def run(self, topics: list[str]) -> None:
        """Take records until `stop`, then commit what is finished. Raises what `work` raised."""
        self._consumer.subscribe(topics, listener=self)
        while not self._stopping.is_set() and self._failure is None:
            await self._poll()
            if (now := asyncio.get_running_loop().time()) >= self._next_commit:
                self._next_commit = now + COMMIT_EVERY_S
                await self._commit()
            if self._running or not self._assigned:
                self._busy_at = now
            elif self._idle_s and now >= self._busy_at + self._idle_s:
                log.info("nothing to do for %g s", self._idle_s)
                self.stop()
        await self._commit()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Take no more records."""
        self._stopping.set()
        self._finished.set()

    async def finish(self, within_s: float) -> bool:
        """Wait for the running records; cancel what outlasts the time. Returns whether all finished."""
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running.values(), timeout=within_s)
        left = late
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
        return not late

    async def _poll(self) -> None:
        self._apply_pauses()
        if (free := self._capacity() - len(self._running)) > 0:
            batches = await poll(self._consumer, self._stopping, timeout_ms=POLL_MS, max_records=free)
        else:
            await self._wait_for_an_end()
            batches = await poll(self._consumer, self._stopping, NO_PARTITION, timeout_ms=0)
        for partition, records in batches.items():
            # a partition that was revoked while they were handed over: they come again, to whoever has it now
            if progress := self._progress.get(partition):
                for record in records:
                    self._begin(partition, progress, record)

    def _apply_pauses(self) -> None:
        paused = self._consumer.paused() if self._progress else set()
        for partition in self._consumer.assignment() & self._progress.keys():
            over = self._progress[partition].waiting >= self._uncommitted
            if over and partition not in paused:
                self._consumer.pause(partition)
            elif not over and partition in paused:
                self._consumer.resume(partition)

    async def _wait_for_an_end(self) -> None:
        self._finished.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._finished.wait(), FULL_POLL_S)

    def _begin(self, partition: TopicPartition, progress: OffsetTracker, record: ConsumerRecord) -> None:
        progress.begin(record.offset)
        place = (partition, record.offset)
        if place in self._running:
            return
        task = asyncio.create_task(self._work(record))
        self._running[place] = task
        task.add_done_callback(lambda done: self._end(place, done))

    def _end(self, place: tuple[TopicPartition, int], task: asyncio.Task[None]) -> None:
        del self._running[place]
        partition, offset = place
        if task.cancelled():
            pass
        elif error := task.exception():
            self._failure = self._failure or error
        elif progress := self._progress.get(partition):
            progress.finish(offset)
        self._finished.set()

    async def _commit(self) -> None:
        offsets = {
            partition: progress.committable
            for partition, progress in self._progress.items()
            if progress.committable is not None and self._committed.get(partition) != progress.committable
        }
        if not offsets:
            return
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):  # the client tries for as long as the broker is away
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.warning("commit refused, the records come again: %s", error)
        except (KafkaError, TimeoutError) as error:
            log.warning("commit failed, tried again: %s: %s", type(error).__name__, error)
        else:
            self._committed.update(offsets)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Give running records time, commit, then let go."""
        running = [task for (partition, _), task in self._running.items() if partition in revoked]
        if running:
            await asyncio.wait(running, timeout=self._drain_s)
        await self._commit()
        for partition in revoked:
            self._progress.pop(partition, None)
            self._committed.pop(partition, None)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Start counting afresh."""
        self._progress.update({partition: OffsetTracker() for partition in assigned})
        self._assigned = True
        log.info("assigned %d partitions", len(assigned))
