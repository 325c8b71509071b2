"""The loop of a sink: writes a batch, publishes the outbox of the store, commits.

The store keeps its own offsets, so a restored or emptied one resumes correctly; the group's commit only serves the lag.
A cursor, stored on a compacted Kafka topic, records how much of the outbox is published.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import count

from schemas.events import Event
from schemas.flow import SERVICE
from shared.backoff import backoff
from shared.config.settings import Settings
from shared.errors import Invalid, Transient
from shared.kafka.admin.topics import topic_ids
from shared.kafka.clients import ConsumerRecord, Producer, TopicPartition
from shared.kafka.codec import encode
from shared.kafka.consume.resume import resume_at
from shared.kafka.names import kafka_topic
from shared.kafka.read.snapshots import Snapshots
from shared.ports import Record, Sink
from shared.runtime.background_task import BackgroundWork
from shared.runtime.single_active import SingleActiveLoop, next_offsets

log = logging.getLogger(__name__)

IDLE_S = 60.0
"""Interval of empty writes while no record arrives, in seconds."""

PUBLISH_WAIT_S = 0.1
"""How long a batch waits for the publication of what was decided, in seconds: that of a release takes longer."""


class SinkLoop(SingleActiveLoop):
    """Store and outbox of the active replica."""

    def __init__(self, sink: Sink, settings: Settings, producer: Producer) -> None:
        super().__init__(settings, producer, settings.batch_s)
        self._sink = sink
        ((state, _),) = SERVICE[settings.service].state
        self._cursors = Snapshots(settings.kafka_access, settings.factory, state, producer)
        self._cursor: str | None = None
        self._publication = BackgroundWork(self._publish_and_commit)
        self._written: dict[TopicPartition, int] = {}
        """Offsets to commit when what was decided so far is published."""
        self._topic_ids: dict[str, str] = {}
        self._store_failure: str | None = None
        self._idle_at = 0.0

    def why_not_ready(self) -> str | None:
        """Return why the replica is not ready, as any single-active one; also that its store fails."""
        return super().why_not_ready() or self._store_failure

    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Open the store, resume at its offsets, publish the unpublished outbox."""
        await self._publication.finish()
        ids = await topic_ids(self.settings.kafka_access, self.settings.factory)
        self._topic_ids = {name: topic.id for name, topic in ids.items()}
        opened = (await self._sink.open(self._topic_ids)).items()
        stored = {TopicPartition(kafka_topic(self.settings.factory, name), n): last for (name, n), last in opened}
        offsets = await resume_at(self.settings.kafka_access, partitions, stored)
        cursor = await self._cursors.read()
        self._cursor = cursor.decode() if cursor else None
        await self._publish()
        await self.start_at(offsets)
        self._idle_at = asyncio.get_running_loop().time() + IDLE_S

    async def idle(self) -> None:
        """Once in IDLE_S, let the store do what is due by time, such as a release."""
        self._publication.check()
        if (now := asyncio.get_running_loop().time()) >= self._idle_at:
            self._idle_at = now + IDLE_S
            if await self._persist(lambda: self._sink.write([])):
                await self._publication.request(PUBLISH_WAIT_S)

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Write, publish, commit. A publication that takes long continues beside the next batch."""
        batch = [(record, self._located(record, event)) for record, event in await self.decode(records)]
        if await self._write(batch):
            self._written |= next_offsets(records)
            await self._publication.request(PUBLISH_WAIT_S)

    async def finish(self) -> None:
        """Finish the publication."""
        await self._publication.finish()

    def _located(self, record: ConsumerRecord, event: Event) -> Record:
        name = self.processor.name_of(record)
        return Record(event, name, self._topic_ids[name], record.partition, record.offset, record.timestamp)

    async def _write(self, batch: list[tuple[ConsumerRecord, Record]]) -> bool:
        """Write a batch. Returns False when it was given up, as `_persist`.

        When the store rejects a batch, each record is written alone, and a rejected one becomes a dead letter.
        """
        if not batch:
            return True
        while True:
            try:
                written = await self._persist(lambda: self._sink.write([located for _, located in batch]))
                break
            except Invalid as error:
                if len(batch) > 1:
                    return all([await self._write([one]) for one in batch])
                if await self.gave_up(batch[0][0], error):
                    return True
        for record, _ in batch if written else ():
            self.processor.guard.record_success()
            self.processor.count(record, "done")
        return written

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Retry until the store succeeds. Returns False when stopped, or no longer active, before that."""
        for tries in count():
            try:
                await work()
            except Transient as error:
                log.warning("the store fails, retrying: %s", error)
                self._store_failure = f"the store fails, retrying: {error}"
            else:
                self._store_failure = None
                return True
            if not self.can_proceed:
                break
            await asyncio.sleep(backoff(self.settings.backoff_s, tries))
        return False

    async def _publish_and_commit(self) -> None:
        written, self._written = self._written, {}
        if await self._persist(self._publish):
            await self.commit(written)

    async def _publish(self) -> None:
        events, cursor = await asyncio.to_thread(self._sink.outbox, self._cursor)
        if cursor == self._cursor:
            return
        await self.processor.publish(encode(event, self.processor.source) for event in events)
        await self._cursors.write(cursor.encode())
        self._cursor = cursor
