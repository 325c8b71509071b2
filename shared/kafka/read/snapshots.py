"""The latest value on a compacted Kafka topic with one partition: the state of a single-active service."""

from contextlib import aclosing

from shared.config.connections import KafkaAccess
from shared.kafka.clients import Producer
from shared.kafka.codec import Message
from shared.kafka.partitions import partitions_of
from shared.kafka.read.records import read_records


async def read_latest(access: KafkaAccess, factory: str, name: str) -> bytes | None:
    """Return the value written last, or `None` before the first."""
    value, partitions = None, partitions_of(factory, name, 1)
    async with aclosing(read_records(access, partitions, newest=True)) as batches:
        async for batch in batches:
            for records in batch.values():
                value = bytes(records[-1].value)
    return value


class Snapshots:
    """Values of one single-active service."""

    def __init__(self, access: KafkaAccess, factory: str, name: str, producer: Producer) -> None:
        self._access = access
        self._factory = factory
        self._name = name
        self._producer = producer

    async def read(self) -> bytes | None:
        """Return the latest value, or `None` before the first."""
        return await read_latest(self._access, self._factory, self._name)

    async def write(self, value: bytes) -> None:
        """Make a value the latest; durable on return."""
        await self._producer.publish([Message(self._name, b"latest", value, [])])
