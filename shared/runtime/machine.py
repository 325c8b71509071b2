"""The loop of a state machine: folds a batch into the state, writes a snapshot, publishes the decisions, commits.

A snapshot holds the state, its offsets, and the messages that were decided on. The replica that takes over publishes
these again and resumes at these offsets: the same events, with the same ids and the same content.
"""

import logging
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from schemas.events import Event
from schemas.flow import SERVICE
from shared.clock import utc_now
from shared.config.settings import Settings
from shared.kafka.clients import ConsumerRecord, Producer, TopicPartition
from shared.kafka.codec import encode, pack, unpack
from shared.kafka.read.snapshots import Snapshots
from shared.runtime.service import Machine
from shared.runtime.single_active import SingleActiveLoop, next_offsets

log = logging.getLogger(__name__)


class Snapshot(BaseModel):
    """State after a batch. Offsets are by "Kafka topic/partition"."""

    state: dict[str, Any]
    offsets: dict[str, int]
    outbox: str


class MachineLoop(SingleActiveLoop):
    """State and outbox of the active replica."""

    def __init__(self, machine: Machine, settings: Settings, producer: Producer) -> None:
        super().__init__(settings, producer)
        self._machine = machine
        ((state, _),) = SERVICE[settings.service].state
        self._snapshots = Snapshots(settings.kafka_access, settings.factory, state, producer)
        self._state: Any = None
        self._offsets: dict[TopicPartition, int] = {}

    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Publish the last decisions again, resume at their offsets, and start the machine."""
        self._state, self._offsets = None, dict.fromkeys(partitions, 0)
        if (stored := await self._snapshots.read()) is not None:
            snapshot = Snapshot.model_validate_json(stored)
            self._state = self._machine.state_type.model_validate(snapshot.state)
            self._offsets |= {p: snapshot.offsets.get(f"{p.topic}/{p.partition}", 0) for p in partitions}
            await self.processor.publish(unpack(snapshot.outbox.encode()))
        await self.start_at(self._offsets)
        self._state, decided = self._machine.start(self._state, utc_now())
        await self._save(decided)

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Fold, snapshot, publish, commit."""
        decided: list[Event] = []
        for record, event in await self.decode(records):
            with self.processor.context(event):
                decided += await self._fold(record, event)
        self._offsets |= next_offsets(records)
        await self._save(decided)
        await self.commit(next_offsets(records))

    async def _fold(self, record: ConsumerRecord, event: Event) -> list[Event]:
        while True:
            try:
                self._state, decided = self._machine(self._state, event, utc_now())
            except Exception as bug:
                log.exception("a bug in the state machine")
                if await self.gave_up(record, bug):
                    return []
            else:
                self.processor.guard.record_success()
                self.processor.count(record, "done")
                return list(decided)

    async def _save(self, decided: Iterable[Event]) -> None:
        """Write a snapshot with the decisions, then publish them."""
        snapshot = Snapshot(
            state=self._state.model_dump(mode="json"),
            offsets={f"{p.topic}/{p.partition}": offset for p, offset in self._offsets.items()},
            outbox=pack(encode(event, self.processor.source) for event in decided).decode(),
        )
        await self._snapshots.write(snapshot.model_dump_json().encode())
        await self.processor.publish(unpack(snapshot.outbox.encode()))
