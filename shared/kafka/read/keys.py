"""Reads positions and keys of records that a service has consumed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from shared.config.connections import KafkaAccess
from shared.kafka.read.records import partitions_in_use, read_records

Position = tuple[str, int, int]
"""Kafka topic without the factory, partition, offset."""

MAX_RECORDS = 500
"""Records in memory: each may have megabytes."""


async def read_keys(
    access: KafkaAccess, factory: str, name: str, below: Mapping[tuple[str, int], int]
) -> AsyncIterator[tuple[Position, bytes]]:
    """Yield positions and keys on a Kafka topic below an offset for each (name, partition). Raises KafkaError."""
    partitions = await partitions_in_use(access, factory, [name])
    async with aclosing(read_records(access, partitions, max_records=MAX_RECORDS)) as batches:
        async for batch in batches:
            for partition, records in batch.items():
                last = below.get((name, partition.partition), 0)
                for record in records:
                    if record.offset < last and record.key:
                        yield (name, partition.partition, record.offset), record.key
