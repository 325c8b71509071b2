"""Reads the events of a retained Kafka topic again, from its start to its present end."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from schemas.events import Event
from shared.config.connections import KafkaAccess
from shared.errors import Invalid, Refusal
from shared.kafka.admin.topics import topic_ids
from shared.kafka.clients import ConsumerRecord
from shared.kafka.codec import decode
from shared.kafka.read.records import partitions_in_use, read_records
from shared.ports import Record

MAX_RECORDS = 100
"""Records in memory: each may have megabytes."""


async def replay(access: KafkaAccess, factory: str, name: str) -> AsyncIterator[list[Record]]:
    """Yield events with their positions, each partition in order. Skips records that are not events.

    Raises Refusal when the first records were deleted, KafkaError when Kafka does not answer.
    """
    if (topic := (await topic_ids(access, factory)).get(name)) is None:
        raise Refusal(f"there is no factory {factory} on this Kafka", "Name it with --factory")
    partitions = await partitions_in_use(access, factory, [name])
    async with aclosing(read_records(access, partitions, complete=True, max_records=MAX_RECORDS)) as batches:
        async for batch in batches:
            for partition, records in batch.items():
                yield [
                    Record(event, name, topic.id, partition.partition, record.offset, record.timestamp)
                    for record in records
                    if (event := _decode(name, record)) is not None
                ]


def _decode(name: str, record: ConsumerRecord) -> Event | None:
    try:
        return decode(name, record.key, record.value, record.headers)
    except Invalid:  # its consumer makes it a dead letter
        return None
