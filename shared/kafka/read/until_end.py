"""Read what some Kafka topics hold now, from their starts to where they end: what caches are rebuilt from."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from aiokafka import TopicPartition

from schemas.flow import BY_TYPE
from shared.config.connections import KafkaAccess
from shared.kafka.clients import ConsumerRecord, observer
from shared.kafka.lag import extent
from shared.kafka.names import kafka_topic

POLL_MS = 500


async def read_to_end(access: KafkaAccess, factory: str, names: Iterable[str]) -> AsyncGenerator[list[bytes], None]:
    """Yield the values of records, as `read_partitions`. An empty record is an empty value."""
    partitions = [
        TopicPartition(kafka_topic(factory, name), number)
        for name in names
        for number in range(BY_TYPE[name].partitions)
    ]
    async with aclosing(read_partitions(access, partitions)) as told:
        async for records in told:
            yield [record.value or b"" for record in records]


async def read_partitions(
    access: KafkaAccess, partitions: Iterable[TopicPartition]
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Yield records, poll by poll, in no order between partitions. Raises KafkaError when Kafka does not answer."""
    reader = observer(access)
    await reader.start()
    try:
        starts, ends = await extent(reader, partitions)
        left = {partition for partition in partitions if starts[partition] < ends[partition]}
        if left:  # aiokafka's stop hangs when it comes right after an assign
            reader.assign(list(left))
        while left := {partition for partition in left if await reader.position(partition) < ends[partition]}:
            found = await reader.getmany(*left, timeout_ms=POLL_MS)
            yield [record for records in found.values() for record in records]
    finally:
        await reader.stop()
