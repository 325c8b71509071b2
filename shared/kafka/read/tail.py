"""Follows the log: all events from the start, then each as it arrives."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from schemas.events import AuditJudged, Event, ProblemReprobed, ProblemResolved, ProblemReverified
from shared.config.connections import KafkaAccess
from shared.errors import Invalid
from shared.kafka.codec import decode, tag_of
from shared.kafka.names import flow_name
from shared.kafka.read.records import follow_records, partitions_in_use


async def tail(access: KafkaAccess, factory: str, names: Iterable[str]) -> AsyncGenerator[Event | None, None]:
    """Yield the events of the named Kafka topics without end; `None` when there is no new event yet.

    Skips records that are not events (they become dead letters elsewhere), and the events of audit and reverify items
    except their ends.
    """
    partitions = await partitions_in_use(access, factory, names)
    async with aclosing(follow_records(access, partitions)) as batches:
        async for batch in batches:
            for partition, records in batch.items():
                for record in records:
                    try:
                        event = decode(flow_name(factory, partition.topic), record.key, record.value, record.headers)
                        if (
                            isinstance(event, AuditJudged | ProblemReverified | ProblemResolved | ProblemReprobed)
                            or tag_of(record.headers) is None
                        ):
                            yield event
                    except Invalid:
                        continue
            if not batch:
                yield None
