"""Forget what everybody is past: transit Kafka topics are trimmed below every group's commit.

Never touched: what is kept for ever (also the dataset reads only that, from its own place), what nobody consumes, dead
letters, and compacted state. A Kafka topic is not trimmed where one of its groups has no offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.flow import FLOW, Flow
from shared.config.connections import KafkaAccess
from shared.kafka.clients import administrator, observer
from shared.kafka.lag import Positions, committed, extent


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What became of one Kafka topic."""

    name: str
    """Without the factory."""
    removed: int
    """Records that are gone, or would be."""
    left: int
    """Records that stay."""
    held_by: tuple[str, ...]
    """Services that have not finished what stays."""


def transit_topics() -> list[Flow]:
    """What may be trimmed."""
    return [flow for flow in FLOW if flow.consumers and not flow.retained]


async def trim(access: KafkaAccess, factory: str, *, dry_run: bool = False) -> list[Trimmed]:
    """Delete what every consumer has committed. Raises KafkaError. Safe to repeat, also while services run."""
    reader = observer(access)
    async with administrator(access) as admin:
        flows = transit_topics()
        stand = {flow: [await committed(admin, factory, name, [flow]) for name in flow.consumers] for flow in flows}
        await reader.start()
        try:
            starts, ends = await extent(reader, {p for groups in stand.values() for p in groups[0]})
        finally:
            await reader.stop()
        below = {
            flow: {p: o for p, o in min_committed(groups).items() if o > starts[p]} for flow, groups in stand.items()
        }
        if not dry_run and (offsets := {p: RecordsToDelete(o) for each in below.values() for p, o in each.items()}):
            await admin.delete_records(offsets)
    return [_result(flow, groups, below[flow], starts, ends) for flow, groups in stand.items()]


def min_committed(groups: Sequence[Positions]) -> dict[TopicPartition, int]:
    """The offset by partition below which every group is finished; none where a group's place is unknown."""
    lowest: dict[TopicPartition, int] = {}
    for partition in groups[0]:
        places = [group[partition] for group in groups]
        if known := [place for place in places if place is not None and None not in places]:
            lowest[partition] = min(known)
    return lowest


def _result(
    flow: Flow,
    groups: Sequence[Positions],
    below: dict[TopicPartition, int],
    starts: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
) -> Trimmed:
    return Trimmed(
        name=flow.name,
        removed=sum(offset - starts[partition] for partition, offset in below.items()),
        left=sum(ends[partition] - below.get(partition, starts[partition]) for partition in groups[0]),
        held_by=tuple(
            name
            for name, places in zip(flow.consumers, groups, strict=True)
            if any(place is None or place < ends[partition] for partition, place in places.items())
        ),
    )
