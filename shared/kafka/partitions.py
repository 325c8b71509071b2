"""Partitions of the factory's Kafka topics. An operator may add some later; those with fixed partitions ignore them."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import murmur2

from schemas.flow import BY_TYPE, DEFAULT_PARTITIONS, FIXED_PARTITIONS
from shared.kafka.names import kafka_topic


def partitions_of(factory: str, name: str, count: int) -> list[TopicPartition]:
    """The first partitions of a Kafka topic, which is named without the factory."""
    return [TopicPartition(kafka_topic(factory, name), number) for number in range(count)]


def declared_partitions(name: str) -> int:
    """Number of partitions with which a Kafka topic is created."""
    return FIXED_PARTITIONS.get(name) or (BY_TYPE[name].partitions if name in BY_TYPE else DEFAULT_PARTITIONS)


def fixed_partition(name: str, key: bytes | None) -> int | None:
    """Partition of a key in a Kafka topic with fixed partitions, as Kafka's clients choose it; `None` in others."""
    count = FIXED_PARTITIONS.get(name)
    return None if count is None or key is None else (murmur2(key) & 0x7FFFFFFF) % count


async def find_partitions(
    admin: AIOKafkaAdminClient, factory: str, names: Iterable[str]
) -> dict[str, list[TopicPartition]]:
    """The partitions in use of some Kafka topics, by name. Of a missing Kafka topic, the declared ones."""
    counts = {name: declared_partitions(name) for name in names}
    described = await admin.describe_topics([kafka_topic(factory, name) for name in counts]) if counts else []
    present = {topic["topic"]: len(topic["partitions"]) for topic in described}
    return {
        name: partitions_of(
            factory, name, count if name in FIXED_PARTITIONS else max(count, present.get(kafka_topic(factory, name), 0))
        )
        for name, count in counts.items()
    }
