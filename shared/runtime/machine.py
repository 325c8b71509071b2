"""Drives a stateful service: fold a batch into the state, snapshot state and decisions, then publish, then commit.

The snapshot holds the state, the offsets it stands for and the messages it decided on. Whoever takes over publishes
these again and reads on from these offsets: the same events, with the same ids and the same content.
"""

import logging
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from schemas.events import Event
from schemas.flow import SERVICE
from shared.clock import utc_now
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.kafka.clients import ConsumerRecord, Producer, TopicPartition
from shared.kafka.codec import encode, pack, unpack
from shared.kafka.read.snapshots import Snapshots
from shared.runtime.service import Machine
from shared.runtime.single_active import SingleActiveLoop, next_offsets
from shared.telemetry.logs import about
from shared.telemetry.metrics import EVENTS, PRODUCED
from shared.telemetry.traces import handling

log = logging.getLogger(__name__)


class Snapshot(BaseModel):
    """What is kept between two batches. Offsets are by "Kafka topic/partition"."""

    state: dict[str, Any]
    offsets: dict[str, int]
    outbox: str


class MachineLoop(SingleActiveLoop):
    """Intake, state and outbox of the one working replica."""

    def __init__(self, machine: Machine, settings: Settings, producer: Producer) -> None:
        super().__init__(settings, producer)
        self._machine = machine
        ((state, _),) = SERVICE[settings.service].state
        self._snapshots = Snapshots(settings.kafka_access, settings.factory, state, producer)
        self._state: Any = None
        self._offsets: dict[TopicPartition, int] = {}
        self._bugs = 0

    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Publish the last decisions again, go on from their offsets, and let the machine start."""
        self._state, self._offsets = None, dict.fromkeys(partitions, 0)
        if (kept := await self._snapshots.read()) is not None:
            snapshot = Snapshot.model_validate_json(kept)
            self._state = self._machine.state_type.model_validate(snapshot.state)
            self._offsets |= {p: snapshot.offsets.get(f"{p.topic}/{p.partition}", 0) for p in partitions}
            await self.producer.publish(unpack(snapshot.outbox.encode()))
        await self.start_at(self._offsets)
        self._state, decided = self._machine.start(self._state, utc_now())
        await self._keep(decided)

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Fold, snapshot, publish, commit."""
        decided: list[Event] = []
        for record, event in await self.decoded(records):
            with about(event), handling(event, self.settings.service):
                decided += await self._fold(record, event)
        self._offsets |= next_offsets(records)
        await self._keep(decided)
        await self.commit(next_offsets(records))

    async def _fold(self, record: ConsumerRecord, event: Event) -> list[Event]:
        try:
            self._state, decided = self._machine(self._state, event, utc_now())
        except Exception as bug:
            log.exception("a bug in the state machine; the event is put aside")
            await self.to_dead_letter(record, bug)
            self._bugs += 1
            if self._bugs >= self.settings.bugs_in_a_row:
                raise Refusal(f"{self._bugs} events in a row failed by a bug", "The traceback is in the log") from bug
            return []
        self._bugs = 0
        EVENTS.labels(self.settings.service, event.type, "done").inc()
        return list(decided)

    async def _keep(self, decided: Iterable[Event]) -> None:
        source = f"{self.settings.factory}/{self.settings.service}"
        snapshot = Snapshot(
            state=self._state.model_dump(mode="json"),
            offsets={f"{p.topic}/{p.partition}": offset for p, offset in self._offsets.items()},
            outbox=pack(encode(event, source) for event in decided).decode(),
        )
        messages = unpack(snapshot.outbox.encode())
        await self._snapshots.write(snapshot.model_dump_json().encode())
        await self.producer.publish(messages)
        for message in messages:
            PRODUCED.labels(self.settings.service, message.name).inc()
