"""Committed offsets and lag of every consumer group, read without joining it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.flow import FLOW, Flow, consumed_by, consumers
from shared.config.connections import KafkaAccess
from shared.kafka.clients import open_admin, open_reader
from shared.kafka.names import flow_name, group
from shared.kafka.partitions import declared_partitions, find_partitions

POLL_MS = 2_000

Positions = dict[TopicPartition, int | None]
"""Committed offsets of a group by partition; `None` where it has none."""


@dataclass(frozen=True, slots=True)
class GroupLag:
    """Lag of one service in one Kafka topic."""

    service: str
    name: str
    """Name of the Kafka topic, without the factory."""
    lag: int | None
    """Records from the committed offset to the end; `None` when the group has no offset in some partition."""
    oldest_ms: int | None
    """Unix time in milliseconds at which the oldest of them was written; `None` without lag."""


async def group_lags(access: KafkaAccess, factory: str) -> list[GroupLag]:
    """Lag of every consumer of every Kafka topic of the flow. Raises KafkaError when Kafka does not answer."""
    async with open_admin(access) as admin, open_reader(access) as reader:
        found = await find_partitions(admin, factory, [flow.name for flow in FLOW])
        groups = [
            (service, flow, await committed_offsets(admin, factory, service, found[flow.name]))
            for flow in FLOW
            for service in flow.consumers
        ]
        starts, ends = await offset_bounds(reader, {partition for *_, offsets in groups for partition in offsets})
        groups = [(service, flow, _with_starts(factory, offsets, starts)) for service, flow, offsets in groups]
        pending = {position for *_, offsets in groups for position in _oldest_pending(offsets, ends)}
        oldest = await record_timestamps(reader, pending)
    return [_group_lag(service, flow, offsets, ends, oldest) for service, flow, offsets in groups]


async def lags(access: KafkaAccess, factory: str) -> dict[tuple[str, TopicPartition], int]:
    """Lag of each consumer group in each partition, in records. Raises KafkaError as `group_lags`.

    Leaves out partitions in which a group has no offset: their lag is unknown. A group starts at the beginning of a
    partition that was added.
    """
    async with open_admin(access) as admin, open_reader(access) as reader:
        found = await find_partitions(admin, factory, [flow.name for flow in FLOW])
        groups = {
            name: await committed_offsets(
                admin, factory, name, chain.from_iterable(found[one.name] for one in consumed_by(name))
            )
            for name in consumers()
        }
        starts, ends = await offset_bounds(reader, {partition for offsets in groups.values() for partition in offsets})
    return {
        (group(factory, name), partition): max(0, ends[partition] - offset)
        for name, offsets in groups.items()
        for partition, offset in _with_starts(factory, offsets, starts).items()
        if offset is not None
    }


def _with_starts(factory: str, offsets: Positions, starts: dict[TopicPartition, int]) -> Positions:
    """Offsets of a group that starts at the beginning of partitions which were added."""
    return {
        partition: starts[partition] if offset is None and _is_added(factory, partition) else offset
        for partition, offset in offsets.items()
    }


def _is_added(factory: str, partition: TopicPartition) -> bool:
    return bool(partition.partition >= declared_partitions(flow_name(factory, partition.topic)))


async def committed_offsets(
    admin: AIOKafkaAdminClient, factory: str, service: str, partitions: Iterable[TopicPartition]
) -> Positions:
    """Committed offsets of a service's group in some partitions."""
    partitions = list(partitions)
    reply = await admin.list_consumer_group_offsets(group(factory, service), partitions=partitions)
    offsets = {partition: metadata.offset for partition, metadata in reply.items() if metadata.offset >= 0}
    return {partition: offsets.get(partition) for partition in partitions}


async def offset_bounds(
    reader: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """First offsets and end offsets of partitions.

    Assigns them to the reader, so that aiokafka fetches the metadata of all in one request instead of 0.1 s per Kafka
    topic.
    """
    assigned = list(partitions)
    reader.assign(assigned)
    reader.pause(*assigned)
    return await reader.beginning_offsets(assigned), await reader.end_offsets(assigned)


def _oldest_pending(offsets: Positions, ends: dict[TopicPartition, int]) -> set[tuple[TopicPartition, int]]:
    return {(partition, at) for partition, at in offsets.items() if at is not None and at < ends[partition]}


async def record_timestamps(
    reader: AIOKafkaConsumer, positions: set[tuple[TopicPartition, int]]
) -> dict[tuple[TopicPartition, int], int]:
    """Unix times in milliseconds at which the records at some positions were written; without unreadable ones."""
    written: dict[tuple[TopicPartition, int], int] = {}
    while todo := dict(positions - written.keys()):  # one offset per partition: two groups may need two
        reader.assign(list(todo))
        for partition, offset in todo.items():
            reader.seek(partition, offset)
        left = set(todo)
        while left and (batches := await reader.getmany(*left, timeout_ms=POLL_MS)):
            written |= {(partition, todo[partition]): records[0].timestamp for partition, records in batches.items()}
            left -= batches.keys()
        if left:
            break
    return written


def _group_lag(
    service: str,
    flow: Flow,
    offsets: Positions,
    ends: dict[TopicPartition, int],
    timestamps: dict[tuple[TopicPartition, int], int],
) -> GroupLag:
    pending = _oldest_pending(offsets, ends)
    return GroupLag(
        service=service,
        name=flow.name,
        lag=None if None in offsets.values() else sum(ends[partition] - offset for partition, offset in pending),
        oldest_ms=min((timestamps[position] for position in pending if position in timestamps), default=None),
    )
