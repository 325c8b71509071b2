"""Every model call that the log tells of, each once: what a budget is rebuilt from.

An item carries its whole lineage, so the same call is read again with every later event; the event that it was made for
tells them apart. What was trimmed is in the later events. A call whose event did not get onto the log is not told.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from pydantic import BaseModel, ValidationError

from schemas.flow import BY_TYPE, PAID
from schemas.item import Provenance, Step
from shared.access import KafkaAccess
from shared.kafka.backlog import extent
from shared.kafka.clients import observer
from shared.kafka.names import kafka_topic

POLL_MS = 500


class _Item(BaseModel):
    lineage: tuple[Step, ...] = ()


class _Paid(BaseModel):
    """Of an event, only what it has cost: reading the rest would take most of the time."""

    id: UUID
    calls: tuple[Provenance, ...] = ()
    item: _Item = _Item()

    @property
    def steps(self) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
        yield self.id, self.calls
        yield from ((step.event, step.calls) for step in self.item.lineage)


async def paid(access: KafkaAccess, factory: str) -> list[Provenance]:
    """Read the log from its start to where it ends now. Raises KafkaError when Kafka does not answer."""
    partitions = [
        TopicPartition(kafka_topic(factory, event.type), number)
        for event in PAID
        for number in range(BY_TYPE[event.type].partitions)
    ]
    calls: dict[UUID, tuple[Provenance, ...]] = {}
    reader = observer(access)
    await reader.start()
    try:
        starts, ends = await extent(reader, partitions)
        left = {partition for partition in partitions if starts[partition] < ends[partition]}
        if left:  # aiokafka's stop hangs when it comes right after an assign
            reader.assign(list(left))
        while left := {partition for partition in left if await reader.position(partition) < ends[partition]}:
            for records in (await reader.getmany(*left, timeout_ms=POLL_MS)).values():
                for record in records:
                    calls.update((step, told) for step, told in _steps(record) if told)
    finally:
        await reader.stop()
    return [call for told in calls.values() for call in told]


def _steps(record: Any) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
    """Of a record that is no event, nothing: it becomes a dead letter elsewhere."""
    try:
        yield from _Paid.model_validate_json(record.value or b"").steps
    except ValidationError:
        return
