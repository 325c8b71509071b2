"""Watch the log without a group: everything from the start, then whatever comes."""

from collections.abc import AsyncGenerator, Iterable

from aiokafka import TopicPartition

from schemas.events import AuditJudged, Event
from schemas.flow import BY_TYPE
from shared.config.connections import KafkaAccess
from shared.errors import Invalid
from shared.kafka.clients import observer
from shared.kafka.codec import decode, mark_of
from shared.kafka.names import flow_name, kafka_topic

POLL_MS = 200


async def tail(access: KafkaAccess, factory: str, names: Iterable[str]) -> AsyncGenerator[Event | None, None]:
    """Yield the events of the named Kafka topics, for ever; `None` whenever nothing more is there yet.

    Records that are no events (they become dead letters elsewhere) are passed over, and so is the way of audit items,
    which nobody asked for: of these only the ending is told.
    """
    reader = observer(access)
    await reader.start()
    try:
        reader.assign(
            [
                TopicPartition(kafka_topic(factory, name), partition)
                for name in names
                for partition in range(BY_TYPE[name].partitions)
            ]
        )
        while True:
            batches = await reader.getmany(timeout_ms=POLL_MS)
            for partition, records in batches.items():
                for record in records:
                    try:
                        event = decode(flow_name(factory, partition.topic), record.key, record.value, record.headers)
                        if isinstance(event, AuditJudged) or mark_of(record.headers) is None:
                            yield event
                    except Invalid:
                        continue
            if not batches:
                yield None
    finally:
        await reader.stop()
