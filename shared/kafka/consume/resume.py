"""Resume offsets of a store that keeps its own offsets in the log; refuses a log that the store was not filled from.

A Kafka restored from an older copy ends before the store's offset, and later holds other records there. Two records at
one offset differ in their timestamp. Their ids may be equal: ids are derived, and a restored factory publishes the same
events again.
"""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from shared.config.connections import KafkaAccess
from shared.errors import Refusal, Transient
from shared.kafka.clients import open_reader
from shared.kafka.lag import offset_bounds, record_timestamps
from shared.ports import StoredOffset

RESTORE_STEP = (
    "Restore a Kafka that is as new as the dataset, or move the dataset away and start without one, "
    "or with one that `chimera dataset rebuild` makes from this Kafka"
)


async def resume_at(
    access: KafkaAccess, partitions: Iterable[TopicPartition], stored: Mapping[TopicPartition, StoredOffset]
) -> dict[TopicPartition, int]:
    """Next offset by partition: after the stored one, else the start of the log.

    Raises Refusal when the next records are gone, or the log has another record at the stored offset; Transient when
    the log cannot be read; KafkaError when Kafka does not answer. A trimmed record cannot be compared.
    """
    async with open_reader(access) as reader:
        starts, ends = await offset_bounds(reader, partitions)
        offsets = {p: stored[p].offset + 1 if p in stored else start for p, start in starts.items()}
        for partition, offset in offsets.items():
            _check_bounds(partition, offset, starts[partition], ends[partition])
        expected = {
            (p, last.offset): last.written_ms
            for p, last in stored.items()
            if last.offset >= starts[p] and last.written_ms is not None
        }
        actual = await record_timestamps(reader, set(expected))
    for (partition, offset), written_ms in expected.items():
        if (partition, offset) not in actual:
            raise Transient(f"{_name(partition)} cannot be read at {offset}")
        if actual[partition, offset] != written_ms:
            what = f"{_name(partition)} has another record at {offset} than the dataset was made from"
            raise Refusal(what, RESTORE_STEP)
    return offsets


def _check_bounds(partition: TopicPartition, offset: int, start: int, end: int) -> None:
    if offset < start:
        raise Refusal(
            f"{_name(partition)} begins at {start}, but the dataset ends at {offset}",
            "The records between are gone. Restore a Kafka that has them, or move the dataset away and start without",
        )
    if offset > end:
        what = f"{_name(partition)} ends at {end}, but the dataset was made from it up to {offset}"
        raise Refusal(what, RESTORE_STEP)


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
