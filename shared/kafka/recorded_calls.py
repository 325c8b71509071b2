"""Every model call recorded in the log, each once. The budget ledger is rebuilt from them.

An item carries its whole lineage, so the same call is read again in every later event; the id of the event that it was
made for identifies it. Later events also hold the calls of trimmed events. A call is missing when its event was never
published.
"""

from collections.abc import Iterator
from contextlib import aclosing
from uuid import UUID

from pydantic import BaseModel, ValidationError

from schemas.flow import COST_BEARING_EVENTS
from schemas.item import Provenance, Step
from shared.config.connections import KafkaAccess
from shared.kafka.read.until_end import read_to_end


class _Item(BaseModel):
    lineage: tuple[Step, ...] = ()


class _Event(BaseModel):
    """The part of an event that records calls: parsing the rest would take most of the time."""

    id: UUID
    calls: tuple[Provenance, ...] = ()
    item: _Item = _Item()

    @property
    def steps(self) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
        yield self.id, self.calls
        yield from ((step.event, step.calls) for step in self.item.lineage)


async def recorded_calls(access: KafkaAccess, factory: str) -> list[Provenance]:
    """Read the log from its start to its present end. Raises KafkaError when Kafka does not answer."""
    calls: dict[UUID, tuple[Provenance, ...]] = {}
    async with aclosing(read_to_end(access, factory, [event.type for event in COST_BEARING_EVENTS])) as batches:
        async for values in batches:
            for value in values:
                calls.update((event, its_calls) for event, its_calls in _steps(value) if its_calls)
    return [call for its_calls in calls.values() for call in its_calls]


def _steps(value: bytes) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
    """Steps of an event; none for a record that is not an event, which its consumer makes a dead letter."""
    try:
        yield from _Event.model_validate_json(value).steps
    except ValidationError:
        return
