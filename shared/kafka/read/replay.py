"""Read a kept Kafka topic again, from its start to where it ends now, without a group."""

from collections.abc import AsyncIterator

from aiokafka import TopicPartition

from schemas.events import Event
from schemas.flow import BY_TYPE
from shared.config.connections import KafkaAccess
from shared.errors import Invalid, Refusal
from shared.kafka.admin.topics import topic_ids
from shared.kafka.clients import ConsumerRecord, observer
from shared.kafka.codec import decode
from shared.kafka.lag import extent
from shared.kafka.names import kafka_topic
from shared.ports import Record

POLL_MS = 500
MAX_RECORDS = 100
"""Records in memory: each may have megabytes."""


async def replay(access: KafkaAccess, factory: str, name: str) -> AsyncIterator[list[Record]]:
    """Records, each partition in its order; those that are no events are passed over.

    Raises Refusal when the beginning is gone, KafkaError when Kafka does not answer.
    """
    if (known := (await topic_ids(access, factory)).get(name)) is None:
        raise Refusal(f"there is no factory {factory} on this Kafka", "Name it with --factory")
    partitions = [TopicPartition(kafka_topic(factory, name), number) for number in range(BY_TYPE[name].partitions)]
    reader = observer(access)
    await reader.start()
    try:
        starts, ends = await extent(reader, partitions)
        if gone := [partition for partition in partitions if starts[partition]]:
            raise Refusal(f"the beginning of {gone[0].topic} is gone from Kafka", "Restore it: it is kept for ever")
        left = {partition for partition in partitions if ends[partition]}
        if left:  # aiokafka's stop hangs when it comes right after an assign
            reader.assign(list(left))
        while left:
            for partition, records in (
                await reader.getmany(*left, timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            ).items():
                yield [
                    Record(event, name, known.id, partition.partition, record.offset, record.timestamp)
                    for record in records
                    if record.offset < ends[partition] and (event := _event(name, record)) is not None
                ]
            left = {partition for partition in left if await reader.position(partition) < ends[partition]}
    finally:
        await reader.stop()


def _event(name: str, record: ConsumerRecord) -> Event | None:
    try:
        return decode(name, record.key, record.value, record.headers)
    except Invalid:  # it became a dead letter
        return None
