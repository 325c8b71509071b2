"""What each consumer group still has to do, seen from outside: committed offsets against the ends of the log."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.flow import FLOW, Flow, consumers
from shared.config.connections import KafkaAccess
from shared.kafka.clients import administrator, observer
from shared.kafka.names import group, kafka_topic

POLL_MS = 2_000

Positions = dict[TopicPartition, int | None]
"""Where a group stands: its committed offset by partition, `None` where it has none."""


@dataclass(frozen=True, slots=True)
class GroupLag:
    """What a service has not finished of one Kafka topic."""

    service: str
    name: str
    """Of the Kafka topic, without the factory."""
    lag: int | None
    """Records from the committed offset to the end; `None` when the group has no offset in some partition."""
    oldest_ms: int | None
    """Unix time of the oldest of them in milliseconds; `None` when there is none."""


async def group_lags(access: KafkaAccess, factory: str) -> list[GroupLag]:
    """The backlog of every consumer of every Kafka topic of the flow. Raises KafkaError when Kafka does not answer."""
    reader = observer(access)
    async with administrator(access) as admin:
        await reader.start()
        try:
            stand = [
                (service, flow, await committed(admin, factory, service, [flow]))
                for flow in FLOW
                for service in flow.consumers
            ]
            ends = (await extent(reader, {partition for *_, places in stand for partition in places}))[1]
            oldest = await times(reader, {place for *_, places in stand for place in _waiting(places, ends)})
        finally:
            await reader.stop()
    return [_group_lag(service, flow, places, ends, oldest) for service, flow, places in stand]


async def lags(access: KafkaAccess, factory: str) -> dict[tuple[str, TopicPartition], int]:
    """Records that each consumer group has before it in each partition. Raises KafkaError as `group_lags` does.

    A group without an offset in a partition is left out: nobody knows.
    """
    reader = observer(access)
    async with administrator(access) as admin:
        await reader.start()
        try:
            reading = {name: [flow for flow in FLOW if name in flow.consumers] for name in consumers()}
            stand = {name: await committed(admin, factory, name, flows) for name, flows in reading.items()}
            ends = (await extent(reader, {partition for places in stand.values() for partition in places}))[1]
        finally:
            await reader.stop()
    return {
        (group(factory, name), partition): max(0, ends[partition] - at)
        for name, places in stand.items()
        for partition, at in places.items()
        if at is not None
    }


async def committed(admin: AIOKafkaAdminClient, factory: str, service: str, flows: Iterable[Flow]) -> Positions:
    """Where a service's group stands in some Kafka topics."""
    partitions = [TopicPartition(kafka_topic(factory, flow.name), n) for flow in flows for n in range(flow.partitions)]
    found = await admin.list_consumer_group_offsets(group(factory, service), partitions=partitions)
    known = {partition: place.offset for partition, place in found.items() if place.offset >= 0}
    return {partition: known.get(partition) for partition in partitions}


async def extent(
    reader: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """First offsets and ends of partitions.

    The reader is assigned to them, so that it learns of all at once: else aiokafka finds out about one Kafka topic at a
    time, 0.1 s each.
    """
    asked = list(partitions)
    reader.assign(asked)
    reader.pause(*asked)
    return await reader.beginning_offsets(asked), await reader.end_offsets(asked)


def _waiting(places: Positions, ends: dict[TopicPartition, int]) -> set[tuple[TopicPartition, int]]:
    return {(partition, at) for partition, at in places.items() if at is not None and at < ends[partition]}


async def times(
    reader: AIOKafkaConsumer, places: set[tuple[TopicPartition, int]]
) -> dict[tuple[TopicPartition, int], int]:
    """When the records at some places were written, Unix time in milliseconds, as far as they can be read."""
    written: dict[tuple[TopicPartition, int], int] = {}
    while todo := dict(places - written.keys()):  # one place a partition: two groups may stand at two
        reader.assign(list(todo))
        for partition, offset in todo.items():
            reader.seek(partition, offset)
        left = set(todo)
        while left and (found := await reader.getmany(*left, timeout_ms=POLL_MS)):
            written |= {(partition, todo[partition]): records[0].timestamp for partition, records in found.items()}
            left -= found.keys()
        if left:
            break
    return written


def _group_lag(
    service: str,
    flow: Flow,
    places: Positions,
    ends: dict[TopicPartition, int],
    times: dict[tuple[TopicPartition, int], int],
) -> GroupLag:
    waiting = _waiting(places, ends)
    unknown = None in places.values()
    return GroupLag(
        service=service,
        name=flow.name,
        lag=None if unknown else sum(ends[partition] - at for partition, at in waiting),
        oldest_ms=min((times[place] for place in waiting if place in times), default=None),
    )
