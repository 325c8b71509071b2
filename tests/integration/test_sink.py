"""A sink resumes at its store's offsets, and publishes what the store decided, once or again."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from schemas.events import Event, ProblemRejected, SampleCurated
from shared.errors import Invalid, Refusal, Transient
from shared.kafka.clients import KafkaError, Producer, TopicPartition
from shared.kafka.names import kafka_topic
from shared.ports import Record, StoredOffset
from shared.runtime.sink import SinkLoop
from tests.support.items import rejected
from tests.support.kafka_world import BrokenProducer, KafkaWorld, until

SERVICE = "aggregator"
PLACE = ("problem.rejected", 0)


class Store:
    """Rows in the order of their writing; every new row decides on an event. It outlives its loop, as a disk does."""

    def __init__(self) -> None:
        self.rows: list[ProblemRejected] = []
        self.place: dict[tuple[str, int], StoredOffset] = {}
        self.decided: list[Event] = []
        self.empty_writes = 0
        self.refusals = 0
        self.impossible: set[UUID] = set()
        self.may_publish = threading.Event()
        self.may_publish.set()

    async def open(self, incarnations: Mapping[str, str]) -> Mapping[tuple[str, int], StoredOffset]:
        return dict(self.place)

    async def write(self, records: Sequence[Record]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Transient("the disk is slow")
        self.empty_writes += not records
        events = [record.event for record in records if isinstance(record.event, ProblemRejected)]
        if any(event.item.id in self.impossible for event in events):
            raise Invalid("there is nothing to store")
        for record, event in zip(records, events, strict=True):
            at = (record.kafka_topic, record.partition)
            if at not in self.place or record.offset > self.place[at].offset:
                self.rows.append(event)
                self.place[at] = StoredOffset(record.offset, record.written_ms)
                self.decided.append(curated(event, len(self.rows)))

    def outbox(self, cursor: str | None) -> tuple[list[Event], str]:
        decided = self.decided[int(cursor or 0) :]
        if decided:
            self.may_publish.wait()
        return decided, str(int(cursor or 0) + len(decided))


def curated(event: ProblemRejected, row: int) -> SampleCurated:
    return SampleCurated.after(
        event,
        SERVICE,
        sample_id=event.item.id,
        plan="test",
        subject="mathematics",
        topic="lens spaces",
        tier="verified",
        correct=True,
        views=(),
        admission="aside",
        row_hash=f"row {row}",
    )


@asynccontextmanager
async def filling(
    store: Store, world: KafkaWorld, producer: Producer | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    settings = world.settings(SERVICE, batch_s=0.1)
    async with world.running(lambda producer: SinkLoop(store, settings, producer), producer) as task:
        yield task


def filled(store: Store, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_filled() -> bool:
        return len(store.rows) == number

    return is_filled


def heard(world: KafkaWorld, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_heard() -> bool:
        return len(await world.records("sample.curated")) == number

    return is_heard


def finished(world: KafkaWorld, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_finished() -> bool:
        return await committed(world) == number

    return is_finished


async def committed(world: KafkaWorld) -> int:
    return sum((await world.committed(SERVICE, "problem.rejected")).values())


def events(*numbers: int) -> list[ProblemRejected]:
    return [rejected(number) for number in numbers]


async def test_the_successor_publishes_unpublished_decisions_once(
    world: KafkaWorld,
) -> None:
    store = Store()
    async with filling(store, world, BrokenProducer(world.access, world.factory, "sample.curated")) as task:
        await world.publish(events(1, 2), partition=0)
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert len(store.rows) == 2
    assert await committed(world) == 0
    async with filling(store, world):
        await until(heard(world, 2), "the decisions of the dead")
        await until(finished(world, 2), "the commit that the dead one did not come to")
        await world.publish(events(3), partition=0)
        await until(heard(world, 3), "a decision of its own")
    async with filling(store, world):
        await world.publish(events(4), partition=0)
        await until(heard(world, 4), "what was published before is not said again")
    assert {event.id for event in await world.events("sample.curated")} == {event.id for event in store.decided}
    assert [event.item.id for event in store.rows] == [event.item.id for event in events(1, 2, 3, 4)]


async def test_a_slow_publication_holds_up_neither_intake_nor_order(world: KafkaWorld) -> None:
    store = Store()
    store.may_publish.clear()
    async with filling(store, world):
        for number in (1, 2, 3):
            await world.publish(events(number), partition=0)
            await until(filled(store, number), "a row that is written while nothing can be published")
        assert await committed(world) == 0
        store.may_publish.set()
        await until(finished(world, 3), "the commit after the publication")
    assert [event.id for event in await world.events("sample.curated")] == [event.id for event in store.decided]


async def test_partitions_are_released_after_the_background_publication(world: KafkaWorld) -> None:
    """Another replica would publish the same events otherwise, and a late cursor would replace a later one."""
    store, loops = Store(), list[SinkLoop]()
    store.may_publish.clear()

    def make(producer: Producer) -> SinkLoop:
        loops.append(SinkLoop(store, world.settings(SERVICE, batch_s=0.1), producer))
        return loops[-1]

    async def is_revoked() -> bool:
        return loops[0].why_not_ready() == "taking over"

    async def are_ready() -> bool:
        return not any(loop.why_not_ready() for loop in loops)

    async with world.running(make):
        await world.publish(events(1), partition=0)
        await until(filled(store, 1), "a row whose event cannot be published yet")
        async with world.running(make):
            try:
                await until(is_revoked, "a rebalance")
                assert loops[1].why_not_ready() == "no partitions assigned yet"
            finally:
                store.may_publish.set()
            await until(are_ready, "the end of the rebalance")
            await until(finished(world, 1), "the commit after the publication")
    assert [event.id for event in await world.events("sample.curated")] == [event.id for event in store.decided]


async def test_an_idle_sink_lets_its_store_work_and_then_takes_a_record(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.sink.IDLE_S", 0.1)
    store = Store()

    async def is_idle() -> bool:
        return store.empty_writes > 2

    async with filling(store, world):
        await until(is_idle, "empty writes while no record arrives")
        await world.publish(events(1), partition=0)
        await until(finished(world, 1), "the commit of a record after them")


async def test_it_begins_where_the_store_ends_and_not_where_its_group_does(world: KafkaWorld) -> None:
    store = Store()
    async with filling(store, world):
        await world.publish(events(1, 2, 3), partition=0)
        await until(heard(world, 3), "all three")
    assert await committed(world) == 3
    first = (await world.records("problem.rejected"))[0]
    store.rows, store.decided = store.rows[:1], store.decided[:1]  # an older copy is restored
    store.place = {PLACE: StoredOffset(0, first.timestamp)}
    async with filling(store, world):
        await until(filled(store, 3), "the rows that the copy lacked")
    store.rows, store.place = [], {}  # and then all is lost
    async with filling(store, world):
        await until(filled(store, 3), "every row")
    assert [event.item.id for event in store.rows] == [event.item.id for event in events(1, 2, 3)]


async def test_a_gap_between_the_store_and_the_log_is_refused(world: KafkaWorld) -> None:
    store = Store()
    await world.publish(events(1, 2, 3), partition=0)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    place = TopicPartition(kafka_topic(world.factory, "problem.rejected"), 0)
    await admin.delete_records({place: RecordsToDelete(before_offset=2)})
    await admin.close()
    async with filling(store, world):  # an empty store is filled with what there is
        await until(filled(store, 1), "what is left")
    store.rows, store.place = (
        [],
        {PLACE: StoredOffset(1, written_ms=0)},
    )  # what it has last is gone: nothing to compare with
    async with filling(store, world):
        await until(filled(store, 1), "what comes next")
    store.rows, store.place = [], {PLACE: StoredOffset(0, written_ms=0)}
    async with filling(store, world) as task:
        with pytest.raises(Refusal, match="begins at 2, but the dataset ends at 1"):
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert store.rows == []


async def test_a_store_newer_than_the_log_is_refused(
    world: KafkaWorld,
) -> None:
    store = Store()
    await world.publish(events(1), partition=0)
    (record,) = await world.records("problem.rejected")
    for last, words in (
        (StoredOffset(1, written_ms=record.timestamp), "ends at 1, but the dataset was made from it up to 2"),
        (StoredOffset(1, written_ms=None), "ends at 1, but the dataset was made from it up to 2"),
        (StoredOffset(0, written_ms=record.timestamp - 1), "has another record at 0 than the dataset"),
    ):
        store.place = {PLACE: last}
        async with filling(store, world) as task:
            with pytest.raises(Refusal, match=words):
                await asyncio.wait_for(asyncio.shield(task), 10)
    assert store.rows == []
    for last in (StoredOffset(0, written_ms=record.timestamp), StoredOffset(0, written_ms=None)):
        store.rows, store.place = [], {PLACE: last}
        async with filling(store, world):
            await world.publish(events(2), partition=0)
            await until(lambda: holds(store), "the next record")


async def holds(store: Store) -> bool:
    return bool(store.rows)


async def test_an_invalid_record_becomes_a_dead_letter_and_others_are_stored(world: KafkaWorld) -> None:
    store = Store()
    async with filling(store, world):
        await world.publish(events(1), partition=0)
        await world.put("problem.rejected", b"key", b"{", partition=0)
        await world.publish(events(2), partition=0)
        await until(filled(store, 2), "the neighbours")
    (letter,) = await world.records("dead-letters")
    assert letter.value == b"{"


async def test_a_store_that_refuses_is_tried_again_and_does_not_hold_up_a_stop(world: KafkaWorld) -> None:
    store = Store()
    store.refusals = 2
    async with filling(store, world) as task:
        await world.publish(events(1), partition=0)
        await until(heard(world, 1), "the third try")
        store.refusals = 1_000_000
        await world.publish(events(2), partition=0)
        await asyncio.sleep(0.5)
    assert task.done()
    assert task.exception() is None
    assert await committed(world) == 1
    store.refusals = 0
    async with filling(store, world):
        await until(filled(store, 2), "what was refused")


async def test_a_record_that_cannot_be_stored_becomes_a_dead_letter(
    world: KafkaWorld,
) -> None:
    store, batch = Store(), events(1, 2, 3)
    store.impossible = {batch[1].item.id}
    await world.publish(batch, partition=0)
    async with filling(store, world):
        await until(filled(store, 2), "the other two")
        await world.publish(events(4), partition=0)
        await until(filled(store, 3), "what came after")
    (letter,) = await world.records("dead-letters")
    assert dict(letter.headers)["chimera-message"] == b"there is nothing to store"
    assert [event.item.id for event in store.rows] == [event.item.id for event in events(1, 3, 4)]
