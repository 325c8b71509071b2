"""Every model call that the log tells of, each once: what a budget is rebuilt from.

An item carries its whole lineage, so the same call is read again with every later event; the event that it was made for
tells them apart. What was trimmed is in the later events. A call whose event did not get onto the log is not told.
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
    """Of an event, only what it has cost: reading the rest would take most of the time."""

    id: UUID
    calls: tuple[Provenance, ...] = ()
    item: _Item = _Item()

    @property
    def steps(self) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
        yield self.id, self.calls
        yield from ((step.event, step.calls) for step in self.item.lineage)


async def recorded_calls(access: KafkaAccess, factory: str) -> list[Provenance]:
    """Read the log from its start to where it ends now. Raises KafkaError when Kafka does not answer."""
    calls: dict[UUID, tuple[Provenance, ...]] = {}
    async with aclosing(read_to_end(access, factory, [event.type for event in COST_BEARING_EVENTS])) as told:
        async for values in told:
            for value in values:
                calls.update((step, recorded_calls) for step, recorded_calls in _steps(value) if recorded_calls)
    return [call for made in calls.values() for call in made]


def _steps(value: bytes) -> Iterator[tuple[UUID, tuple[Provenance, ...]]]:
    """Of a record that is no event, nothing: it becomes a dead letter elsewhere."""
    try:
        yield from _Event.model_validate_json(value).steps
    except ValidationError:
        return
