"""Drives a sink: write a batch, publish what was decided in the store's own commits, then commit.

The store knows its place in the log, so a restored or emptied one is right by itself; the group's commit is only
for whoever watches the lag. What has been published is remembered as the sink's mark.
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
from shared.runtime.single_active import SingleActiveLoop, next_offsets
from shared.telemetry.metrics import EVENTS, PRODUCED

log = logging.getLogger(__name__)


class SinkLoop(SingleActiveLoop):
    """Intake and outbox of the one working replica."""

    def __init__(self, sink: Sink, settings: Settings, producer: Producer) -> None:
        super().__init__(settings, producer)
        self._sink = sink
        ((state, _),) = SERVICE[settings.service].state
        self._marks = Snapshots(settings.kafka_access, settings.factory, state, producer)
        self._mark: str | None = None
        self._incarnations: dict[str, str] = {}
        self.gather_s = settings.batch_s

    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Open the store, go on from its place, publish what it decided and nobody heard of."""
        known = await topic_ids(self.settings.kafka_access, self.settings.factory)
        self._incarnations = {name: incarnation.id for name, incarnation in known.items()}
        opened = (await self._sink.open(self._incarnations)).items()
        held = {TopicPartition(kafka_topic(self.settings.factory, name), n): last for (name, n), last in opened}
        offsets = await resume_at(self.settings.kafka_access, partitions, held)
        kept = await self._marks.read()
        self._mark = kept.decode() if kept else None
        await self._publish()
        await self.start_at(offsets)

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Write, publish, commit."""
        batch = [(record, self._located(record, event)) for record, event in await self.decoded(records)]
        if await self._write(batch) and await self._persist(self._publish):
            await self.commit(next_offsets(records))

    def _located(self, record: ConsumerRecord, event: Event) -> Record:
        name = self.name_of(record)
        return Record(event, name, self._incarnations[name], record.partition, record.offset, record.timestamp)

    async def _write(self, batch: list[tuple[ConsumerRecord, Record]]) -> bool:
        """Have a batch written. False when it was given up, as by `_persist`.

        Of a batch that the store can never take, each record is tried alone, and what it refuses is put aside.
        """
        if not batch:
            return True
        try:
            written = await self._persist(lambda: self._sink.write([located for _, located in batch]))
        except Invalid as error:
            if len(batch) > 1:
                return all([await self._write([one]) for one in batch])
            await self.to_dead_letter(batch[0][0], error)
            return True
        for _, located in batch if written else ():
            EVENTS.labels(self.settings.service, located.kafka_topic, "done").inc()
        return written

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Try until the store lets it. False when told to stop, or no longer the one that works, before."""
        for tries in count():
            try:
                await work()
            except Transient as error:
                log.warning("the store refuses, tried again: %s", error)
            else:
                return True
            if not self.can_proceed:
                break
            await asyncio.sleep(backoff(self.settings.backoff_s, tries))
        return False

    async def _publish(self) -> None:
        events, mark = await asyncio.to_thread(self._sink.outbox, self._mark)
        if mark == self._mark:
            return
        source = f"{self.settings.factory}/{self.settings.service}"
        await self.producer.publish(encode(event, source) for event in events)
        await self._marks.write(mark.encode())
        self._mark = mark
        for event in events:
            PRODUCED.labels(self.settings.service, event.type).inc()
