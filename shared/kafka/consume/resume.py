"""Where a store that keeps its own place in the log goes on; refused when this is not the log that it was filled from.

A copy of Kafka that is older than the store ends before the store's place, and later has other records there. Two
records at one offset are told apart by when they were written; an event's id would not do, since it is derived, and
what a restored Kafka lacks is soon made again.
"""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from shared.config.connections import KafkaAccess
from shared.errors import Refusal, Transient
from shared.kafka.clients import observer
from shared.kafka.lag import extent, times
from shared.ports import StoredOffset

RESTORE = (
    "Restore a Kafka that is as new as the dataset, or put the dataset away and start without one, "
    "or with what `chimera dataset rebuild` makes of this Kafka"
)


async def resume_at(
    access: KafkaAccess, partitions: Iterable[TopicPartition], held: Mapping[TopicPartition, StoredOffset]
) -> dict[TopicPartition, int]:
    """Next offset by partition: after what is held, else the start of the log.

    Raises Refusal when records that come next are gone, or the last one held is not in the log; Transient when the log
    cannot be read; KafkaError when Kafka does not answer. A record below the start of the log cannot be compared.
    """
    reader = observer(access)
    await reader.start()
    try:
        starts, ends = await extent(reader, partitions)
        offsets = {p: held[p].offset + 1 if p in held else start for p, start in starts.items()}
        for partition, offset in offsets.items():
            _within(partition, offset, starts[partition], ends[partition])
        known = {
            (p, last.offset): last.written_ms
            for p, last in held.items()
            if last.offset >= starts[p] and last.written_ms is not None
        }
        found = await times(reader, set(known))
    finally:
        await reader.stop()
    for (partition, offset), written in known.items():
        if (partition, offset) not in found:
            raise Transient(f"{_name(partition)} cannot be read at {offset}")
        if found[partition, offset] != written:
            raise Refusal(f"{_name(partition)} has another record at {offset} than the dataset was made from", RESTORE)
    return offsets


def _within(partition: TopicPartition, offset: int, start: int, end: int) -> None:
    if offset < start:
        raise Refusal(
            f"{_name(partition)} begins at {start}, but the dataset ends at {offset}",
            "The records between are gone. Restore a Kafka that has them, or put the dataset away and start without",
        )
    if offset > end:
        raise Refusal(f"{_name(partition)} ends at {end}, but the dataset was made from it up to {offset}", RESTORE)


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
