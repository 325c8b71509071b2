"""Deletes records of transit Kafka topics below the committed offset of every group, and older than some hours.

Never trimmed: retained Kafka topics (the dataset resumes from its own watermarks, in those only), dead letters and
compacted state. A partition is not trimmed while one of its groups has no offset.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.flow import FLOW, Flow
from shared.config.connections import KafkaAccess
from shared.kafka.clients import open_admin, open_reader
from shared.kafka.lag import Positions, committed_offsets, offset_bounds
from shared.kafka.partitions import find_partitions

AUTOMATIC_KEEP_HOURS = 24.0
"""Records of these last hours stay when a factory trims itself."""
AUTOMATIC_INTERVAL_S = 3600.0


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Result for one Kafka topic."""

    name: str
    """Name without the factory."""
    removed: int
    """Records deleted, or to be deleted in a dry run."""
    left: int
    """Records that remain."""
    held_by: tuple[str, ...]
    """Services that have not finished the remaining records."""


def transit_topics() -> list[Flow]:
    """Kafka topics that may be trimmed."""
    return [flow for flow in FLOW if flow.consumers and not flow.retained]


async def trim(access: KafkaAccess, factory: str, *, keep_hours: float = 0.0, dry_run: bool = False) -> list[Trimmed]:
    """Delete the records that every consumer has committed, except for those of the last `keep_hours`.

    Raises KafkaError. Safe to repeat while services run.
    """
    async with open_admin(access) as admin:
        flows = transit_topics()
        found = await find_partitions(admin, factory, [flow.name for flow in flows])
        committed = {
            flow: [await committed_offsets(admin, factory, name, found[flow.name]) for name in flow.consumers]
            for flow in flows
        }
        async with open_reader(access) as reader:
            partitions = {p for groups in committed.values() for p in groups[0]}
            starts, ends = await offset_bounds(reader, partitions)
            kept_from = await _first_since(reader, ends, keep_hours) if keep_hours else ends
        below = {
            flow: {p: o for p, done in min_committed(groups).items() if (o := min(done, kept_from[p])) > starts[p]}
            for flow, groups in committed.items()
        }
        if not dry_run and (offsets := {p: RecordsToDelete(o) for each in below.values() for p, o in each.items()}):
            await admin.delete_records(offsets)
    return [_result(flow, groups, below[flow], starts, ends) for flow, groups in committed.items()]


async def _first_since(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], hours: float
) -> dict[TopicPartition, int]:
    """Offset of the first record of the last hours, by partition; its end without one."""
    since_ms = int((time.time() - hours * 3600) * 1000)
    found = await reader.offsets_for_times(dict.fromkeys(ends, since_ms))
    return {partition: found[partition].offset if found.get(partition) else end for partition, end in ends.items()}


def min_committed(groups: Sequence[Positions]) -> dict[TopicPartition, int]:
    """Lowest committed offset by partition; without partitions in which a group has none."""
    lowest: dict[TopicPartition, int] = {}
    for partition in groups[0]:
        offsets = [group[partition] for group in groups]
        if known := [offset for offset in offsets if offset is not None and None not in offsets]:
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
            for name, offsets in zip(flow.consumers, groups, strict=True)
            if any(offset is None or offset < ends[partition] for partition, offset in offsets.items())
        ),
    )
