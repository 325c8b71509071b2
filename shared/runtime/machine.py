"""The loop of a state machine: folds a batch into the state, writes a snapshot, publishes the decisions, commits.

A snapshot holds the state, its offsets, and the messages that were decided on. The replica that takes over publishes
these again and resumes at these offsets: the same events, with the same ids and the same content. A replica writes
its first snapshot whole, and each later one as the changes to the one before.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from schemas.events import Event
from schemas.flow import SERVICE
from shared.clock import utc_now
from shared.config.connections import KafkaAccess
from shared.config.settings import Settings
from shared.kafka.clients import ConsumerRecord, Producer, TopicPartition
from shared.kafka.codec import encode, pack, unpack
from shared.kafka.names import flow_name
from shared.kafka.read.state_log import StateLog, read_documents
from shared.runtime.service import FromLog, Machine
from shared.runtime.single_active import SingleActiveLoop, next_offsets
from shared.runtime.state_changes import Change, apply, changes

log = logging.getLogger(__name__)


class Snapshot(BaseModel):
    """State after a batch. Offsets are by "Kafka topic/partition"."""

    state: dict[str, Any]
    offsets: dict[str, int]
    outbox: str


class SnapshotChange(BaseModel):
    """What a batch changed; offsets and outbox replace those of the snapshot before."""

    changes: list[Change]
    offsets: dict[str, int]
    outbox: str


async def read_snapshot(access: KafkaAccess, factory: str, name: str) -> Snapshot | None:
    """Read the newest snapshot of a machine from its Kafka topic; `None` before the first."""
    return combine((await read_documents(access, factory, name))[1])


def combine(documents: list[bytes]) -> Snapshot | None:
    """Build a snapshot from a whole one and the changes after it."""
    if not documents:
        return None
    snapshot = Snapshot.model_validate_json(documents[0])
    for document in documents[1:]:
        change = SnapshotChange.model_validate_json(document)
        apply(snapshot.state, change.changes)
        snapshot.offsets, snapshot.outbox = change.offsets, change.outbox
    return snapshot


class MachineLoop(SingleActiveLoop):
    """State and outbox of the active replica."""

    def __init__(
        self,
        machine: Machine,
        settings: Settings,
        producer: Producer,
        from_log: FromLog | None = None,
        changed: Callable[[], bool] = lambda: False,
    ) -> None:
        """The machine starts again, with the present state, when `changed` returns True."""
        super().__init__(settings, producer)
        self._machine = machine
        self._from_log = from_log
        self._changed = changed
        ((state, _),) = SERVICE[settings.service].state
        self._state_log = StateLog(settings.kafka_access, settings.factory, state, producer)
        self._state: Any = None
        self._saved: Any = None
        """The state of the latest snapshot; `None` before the first of this replica."""
        self._offsets: dict[TopicPartition, int] = {}

    async def take_over(self, partitions: set[TopicPartition]) -> None:
        """Publish the last decisions again, resume at their offsets, and start the machine."""
        self._state, self._saved, self._offsets = None, None, dict.fromkeys(partitions, 0)
        if (snapshot := combine(await self._state_log.read())) is not None:
            self._state = self._machine.state_type.model_validate(snapshot.state)
            self._offsets |= {p: snapshot.offsets.get(f"{p.topic}/{p.partition}", 0) for p in partitions}
            if self._from_log:
                self._state = await self._from_log.read(self._state, self._flow_offsets())
            await self.processor.publish(unpack(snapshot.outbox.encode()))
        await self.start_at(self._offsets)
        self._changed()
        await self._start()

    async def _start(self) -> None:
        self._state, decided = self._machine.start(self._state, utc_now())
        await self._save(decided)

    async def idle(self) -> None:
        """Start the machine again when its settings have changed."""
        if self._changed():
            await self._start()

    def _flow_offsets(self) -> dict[tuple[str, int], int]:
        factory = self.settings.factory
        return {(flow_name(factory, p.topic), p.partition): offset for p, offset in self._offsets.items()}

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Fold, snapshot, publish, commit."""
        await self.idle()
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
        offsets = {f"{p.topic}/{p.partition}": offset for p, offset in self._offsets.items()}
        outbox = pack(encode(event, self.processor.source) for event in decided).decode()
        without = self._from_log.fields if self._from_log else frozenset[str]()
        if self._saved is None or self._state_log.wants_full:
            state = self._state.model_dump(mode="json", exclude=without)
            whole = Snapshot(state=state, offsets=offsets, outbox=outbox)
            await self._state_log.write_full(whole.model_dump_json().encode())
        else:
            made = list(changes(self._saved, self._state, without))
            change = SnapshotChange(changes=made, offsets=offsets, outbox=outbox)
            await self._state_log.write_change(change.model_dump_json().encode())
        self._saved = self._state
        await self.processor.publish(unpack(outbox.encode()))
