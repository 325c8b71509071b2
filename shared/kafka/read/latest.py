"""Reads the latest records of a Kafka topic, for a person."""

from contextlib import aclosing
from heapq import nlargest
from itertools import chain

from shared.config.connections import KafkaAccess
from shared.kafka.clients import ConsumerRecord
from shared.kafka.read.records import partitions_in_use, read_records


async def read_latest(access: KafkaAccess, factory: str, name: str, count: int) -> list[ConsumerRecord]:
    """Return the latest records of a Kafka topic, oldest first. It reads the whole Kafka topic."""
    partitions = await partitions_in_use(access, factory, [name])
    latest: list[ConsumerRecord] = []
    async with aclosing(read_records(access, partitions)) as batches:
        async for batch in batches:
            latest = nlargest(count, chain(latest, *batch.values()), key=_moment)
    return latest[::-1]


def _moment(record: ConsumerRecord) -> tuple[int, int]:
    return record.timestamp, record.offset
