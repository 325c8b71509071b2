"""Starts a group in partitions that were added to a Kafka topic while it runs."""

import logging
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import topic_ids
from shared.kafka.names import flow_name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddedPartitions:
    """Partitions of a consumer in which its group has no offset yet."""

    consumer: AIOKafkaConsumer
    access: KafkaAccess
    factory: str

    async def start(self, partition: TopicPartition) -> bool:
        """Start at the beginning of a partition. Returns False when the group had an offset there, and lost it."""
        topic = (await topic_ids(self.access, self.factory)).get(flow_name(self.factory, partition.topic))
        if topic is None or partition.partition < topic.partitions:
            return False
        log.info("%s/%d was added; starting at its beginning", *partition)
        try:
            start = (await self.consumer.beginning_offsets([partition]))[partition]
            self.consumer.seek(partition, start)
            await self.consumer.commit({partition: start})
        except (KafkaError, IllegalStateError) as error:  # a rebalance, after which its owner starts it
            log.warning("could not start an added partition, retrying: %s: %s", type(error).__name__, error)
        return True
