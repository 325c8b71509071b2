"""The state of a machine on a compacted Kafka topic with one partition: a full document, then one for each change.

A document may be larger than a record: it is written in parts. A new full document begins a generation. Generations use
two sets of keys in turn, so that compaction keeps the present one until the next is complete, and removes it later.
A record without headers is the full document of an earlier version.
"""

from collections import defaultdict
from contextlib import aclosing
from itertools import chain, count
from uuid import uuid4

from shared.config.connections import KafkaAccess
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import Message
from shared.kafka.partitions import partitions_of
from shared.kafka.read.records import read_records

PART_BYTES = 4 * 1024 * 1024
"""Largest part of a document; a record may be three times as large."""

Place = tuple[str, int, int, int]
"""Generation, number of the document in it (0: the full one), number of the part, number of parts."""


async def read_documents(access: KafkaAccess, factory: str, name: str) -> tuple[str, list[bytes]]:
    """Return the newest generation, with its full document and the changes after it; no document before the first."""
    found: dict[str, dict[int, dict[int, bytes]]] = defaultdict(lambda: defaultdict(dict))
    newest, parts = "", dict[tuple[str, int], int]()
    async with aclosing(read_records(access, partitions_of(factory, name, 1))) as batches:
        async for batch in batches:
            for record in chain.from_iterable(batch.values()):
                generation, number, part, total = _place(record)
                if number == part == 0:
                    found.pop(generation, None)
                found[generation][number][part] = bytes(record.value)
                parts[generation, number] = total
                if number == 0 and len(found[generation][0]) == total:
                    newest = generation
    documents = list[bytes]()
    for number in count():
        pieces = found[newest][number]
        if not pieces or len(pieces) < parts[newest, number]:
            break
        documents.append(b"".join(pieces[part] for part in sorted(pieces)))
    return newest, documents


class StateLog:
    """Documents of one machine. What a replica that is no longer active still writes is in a former generation."""

    def __init__(self, access: KafkaAccess, factory: str, name: str, producer: Producer) -> None:
        self._access = access
        self._factory = factory
        self._name = name
        self._producer = producer
        self._generation = ""
        self._documents = 0
        self._full_bytes = self._change_bytes = 0

    async def read(self) -> list[bytes]:
        """Return the newest full document and the changes after it, in order; an empty list before the first."""
        self._generation, documents = await read_documents(self._access, self._factory, self._name)
        return documents

    @property
    def wants_full(self) -> bool:
        """Whether the changes have outgrown the full document: it is then smaller to write than to read them all."""
        return self._change_bytes > max(self._full_bytes, PART_BYTES)

    async def write_full(self, document: bytes) -> None:
        """Begin a generation; durable on return."""
        number = int(self._generation.partition("-")[0] or 0) + 1
        self._generation, self._documents = f"{number}-{uuid4().hex[:8]}", 0
        self._full_bytes, self._change_bytes = len(document), 0
        await self._write(document)

    async def write_change(self, document: bytes) -> None:
        """Add to the present generation; durable on return."""
        self._change_bytes += len(document)
        await self._write(document)

    async def _write(self, document: bytes) -> None:
        parts = [document[start : start + PART_BYTES] for start in range(0, len(document), PART_BYTES)]
        parity = int(self._generation.partition("-")[0]) % 2
        await self._producer.publish(
            Message(
                self._name,
                f"{parity}/{self._documents}/{part}".encode(),
                value,
                [
                    ("generation", self._generation.encode()),
                    ("place", f"{self._documents}/{part}/{len(parts)}".encode()),
                ],
            )
            for part, value in enumerate(parts)
        )
        self._documents += 1


def _place(record: ConsumerRecord) -> Place:
    headers = dict(record.headers)
    if "generation" not in headers:
        return "", 0, 0, 1
    number, part, total = map(int, headers["place"].split(b"/"))
    return headers["generation"].decode(), number, part, total
