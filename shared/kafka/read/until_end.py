"""Reads the values that some Kafka topics hold now. Caches are rebuilt from them."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from shared.config.connections import KafkaAccess
from shared.kafka.read.records import partitions_in_use, read_records


async def read_to_end(access: KafkaAccess, factory: str, names: Iterable[str]) -> AsyncGenerator[list[bytes], None]:
    """Yield the values of records; a null value is empty. Partitions are in no order. Raises as `read_records`."""
    partitions = await partitions_in_use(access, factory, names)
    async with aclosing(read_records(access, partitions)) as batches:
        async for batch in batches:
            yield [record.value or b"" for records in batch.values() for record in records]
