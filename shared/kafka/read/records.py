"""Reads records of partitions without a group. All other readers of the log are built on it."""

from collections.abc import AsyncGenerator, Iterable
from itertools import chain

from aiokafka import TopicPartition

from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.clients import ConsumerRecord, open_admin, open_reader
from shared.kafka.lag import offset_bounds
from shared.kafka.partitions import find_partitions

POLL_MS = 200

Batch = dict[TopicPartition, list[ConsumerRecord]]


async def partitions_in_use(access: KafkaAccess, factory: str, names: Iterable[str]) -> list[TopicPartition]:
    """All partitions in use of some Kafka topics, which are named without the factory."""
    async with open_admin(access) as admin:
        found = await find_partitions(admin, factory, names)
    return list(chain.from_iterable(found.values()))


async def read_records(
    access: KafkaAccess,
    partitions: Iterable[TopicPartition],
    *,
    complete: bool = False,
    newest: bool = False,
    max_records: int | None = None,
) -> AsyncGenerator[Batch, None]:
    """Yield records poll by poll, from the start of each partition to where it ended at the call.

    `complete`: raise Refusal when the first records of a partition were deleted. `newest`: only the last record of each
    partition. `max_records`: per poll. Raises KafkaError when Kafka does not answer.
    """
    async with open_reader(access) as reader:
        starts, ends = await offset_bounds(reader, partitions)
        if complete and (trimmed := [partition for partition in starts if starts[partition]]):
            raise Refusal(f"the first records of {trimmed[0].topic} were deleted", "Restore them: it is retained")
        left = {partition for partition in starts if starts[partition] < ends[partition]}
        if left:  # aiokafka's stop hangs right after an assignment
            reader.assign(list(left))
        for partition in left if newest else ():
            reader.seek(partition, ends[partition] - 1)
        while left := {partition for partition in left if await reader.position(partition) < ends[partition]}:
            batch = await reader.getmany(*left, timeout_ms=POLL_MS, max_records=max_records)
            yield {
                partition: [record for record in records if record.offset < ends[partition]]
                for partition, records in batch.items()
            }


async def follow_records(access: KafkaAccess, partitions: Iterable[TopicPartition]) -> AsyncGenerator[Batch, None]:
    """Yield records from the start of each partition without end; an empty batch when there is no new record."""
    async with open_reader(access) as reader:
        reader.assign(list(partitions))
        while True:
            yield await reader.getmany(timeout_ms=POLL_MS)
