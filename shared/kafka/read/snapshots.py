"""The latest value on a compacted Kafka topic with one partition: where a sole service keeps its state."""

from aiokafka import TopicPartition

from shared.config.connections import KafkaAccess
from shared.kafka.clients import Producer, observer
from shared.kafka.codec import Message
from shared.kafka.names import kafka_topic


async def latest(access: KafkaAccess, factory: str, name: str) -> bytes | None:
    """What a sole service wrote last, or `None` before the first."""
    partition, reader = TopicPartition(kafka_topic(factory, name), 0), observer(access)
    await reader.start()
    try:
        reader.assign([partition])
        end = (await reader.end_offsets([partition]))[partition]
        if end == 0:
            return None
        reader.seek(partition, end - 1)
        record = await reader.getone()
        return bytes(record.value)
    finally:
        await reader.stop()


class Snapshots:
    """Values of one sole service. The last record written is the value."""

    def __init__(self, access: KafkaAccess, factory: str, name: str, producer: Producer) -> None:
        self._access = access
        self._factory = factory
        self._name = name
        self._producer = producer

    async def read(self) -> bytes | None:
        """Return the latest value, or `None` before the first."""
        return await latest(self._access, self._factory, self._name)

    async def write(self, value: bytes) -> None:
        """Make a value the latest; durable on return."""
        await self._producer.publish([Message(self._name, b"latest", value, [])])
