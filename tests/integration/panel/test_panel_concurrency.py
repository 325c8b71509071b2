"""The panel takes problems side by side, and gives up what it has not finished when its partitions go to another."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from uuid import UUID

import pytest

from schemas.events import Event, ProblemVerified
from shared.kafka.clients import Producer
from shared.kafka.faust.loop import FaustLoop
from shared.kafka.faust.offset_keeping_consumer import OffsetKeepingConsumer
from shared.ports import Join
from tests.integration.panel.test_panel import PANEL, SERVICE, A, B, committed, joining, table, verified
from tests.support.kafka_world import GatedProducer, KafkaWorld, until

BOTH = f"{A} {B}".encode()


def fails_on(bugs: Collection[UUID] = ()) -> Join:
    """A join whose state is the roles that it has received, and that decides nothing."""

    def join(case: bytes | None, event: ProblemVerified) -> tuple[bytes, Iterable[Event], bytes]:
        if event.item.id in bugs:
            raise ZeroDivisionError("a bug")
        state = " ".join(sorted({*(case or b"").decode().split(), event.verdict.role})).encode()
        return state, [], state

    return join


def panel(world: KafkaWorld, join: Join = PANEL, **settings: int) -> tuple[list[FaustLoop], Callable[..., FaustLoop]]:
    """A list of the loop, once it is made, and what makes it."""
    loops: list[FaustLoop] = []

    def make(producer: Producer) -> FaustLoop:
        loops.append(FaustLoop(join, world.settings(SERVICE, **settings), producer))
        return loops[0]

    return loops, make


def true(condition: Callable[[], object]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return bool(condition())

    return check


async def folded(world: KafkaWorld, value: bytes) -> set[bytes]:
    """Keys whose state has a value."""
    return {key for key, state in (await table(world)).items() if state == value}


async def test_what_waits_is_not_folded_after_its_partition_is_given_up(world: KafkaWorld) -> None:
    def any_of(value: bytes) -> Callable[[], Awaitable[bool]]:
        async def is_there() -> bool:
            return bool(await folded(world, value))

        return is_there

    bugs = {verified(number, A).item.id for number in (901, 902)}
    stopped, first = panel(world, fails_on(bugs), bugs_in_a_row=1)
    await world.publish([verified(901, A), verified(902, A)], partition=0)
    async with world.running(first) as task:
        await until(true(lambda: stopped and stopped[0]._guard.stopped), "a panel that tries one event again")
        for number in range(8):
            await world.publish([verified(number, A)], partition=number)
        await until(true(lambda: len(stopped[0]._consumer.handling) >= 9), "events that wait for it")
        async with world.running(panel(world, fails_on())[1]), world.running(panel(world, fails_on())[1]):
            await until(any_of(A.encode()), "the first verdicts, at the panels that took over")
            await asyncio.sleep(5)  # so that no partition moves again before the second ones
            for number in range(8):
                await world.publish([verified(number, B)], partition=number)
            await until(any_of(BOTH), "the second verdicts")
            await asyncio.sleep(2)
            complete = await folded(world, BOTH)
            stopped[0].stop()
            await asyncio.wait([task], timeout=60)
            await until(committed(world, 18), "the commit of all", within_s=60)
    assert complete
    assert complete <= await folded(world, BOTH)


async def test_a_rebalance_commits_what_it_waited_for(world: KafkaWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    original, seen = OffsetKeepingConsumer.wait_empty, list[tuple[int, int, bool]]()

    async def wait_empty(consumer: OffsetKeepingConsumer) -> None:
        running, is_first = len(consumer.handling), gated.waiting.is_set() and not gated.gate.is_set()
        if is_first:
            asyncio.get_running_loop().call_later(2, gated.gate.set)
        await original(consumer)
        if is_first:
            seen.append((running, len(consumer.handling), await committed(world, 2)()))

    monkeypatch.setattr(OffsetKeepingConsumer, "wait_empty", wait_empty)
    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    await world.publish([verified(1, A), verified(1, B)])
    async with joining(world, gated):
        await asyncio.wait_for(gated.waiting.wait(), 20)
        async with joining(world):
            await until(true(lambda: seen), "a rebalance")
    assert seen == [(1, 0, True)]


async def test_nothing_begins_while_partitions_are_given_up(world: KafkaWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    original, begin = OffsetKeepingConsumer.wait_empty, OffsetKeepingConsumer.begin
    ends, begun = list[int](), list[int]()

    def watched(consumer: OffsetKeepingConsumer, partition: object, offset: int, work: object) -> object:
        if not consumer.flow_active or consumer.app.rebalancing:
            begun.append(offset)
        return begin(consumer, partition, offset, work)  # type: ignore[arg-type]

    async def wait_empty(consumer: OffsetKeepingConsumer) -> None:
        if gated.waiting.is_set() and not gated.gate.is_set():
            asyncio.get_running_loop().call_later(0.05, gated.gate.set)
        await original(consumer)
        ends.append(len(consumer.handling))

    monkeypatch.setattr(OffsetKeepingConsumer, "wait_empty", wait_empty)
    monkeypatch.setattr(OffsetKeepingConsumer, "begin", watched)
    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    await world.publish([verified(1, A), verified(1, B), verified(2, A)], partition=0)
    async with world.running(panel(world, in_flight=1)[1], gated):
        await asyncio.wait_for(gated.waiting.wait(), 20)
        await asyncio.sleep(1)  # the third event waits for room
        async with joining(world):
            await until(true(lambda: ends), "a rebalance")
            await until(committed(world, 3), "all of them")
    assert begun == []


async def test_a_stop_while_an_event_is_tried_again_commits_nothing_of_it(world: KafkaWorld) -> None:
    bugs = {verified(number, A).item.id for number in (901, 902)}
    loops, make = panel(world, fails_on(bugs), bugs_in_a_row=1)
    await world.publish([verified(901, A), verified(902, A), verified(1, A)], partition=0)
    async with world.running(make):
        await until(true(lambda: loops and loops[0]._guard.stopped and len(loops[0]._consumer.handling) == 2), "a stop")
    assert await committed(world, 1)()


async def test_no_more_events_are_under_way_than_the_setting_allows(world: KafkaWorld) -> None:
    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    loops, make = panel(world, in_flight=4)
    await world.publish([verified(number, role) for number in range(8) for role in (A, B)])
    async with world.running(make, gated):
        await until(true(lambda: loops and len(loops[0]._consumer.handling) >= 4), "a full panel")
        await asyncio.sleep(1)
        assert len(loops[0]._consumer.handling) == 4
        gated.gate.set()
        await until(committed(world, 16), "all of them")
        await until(true(lambda: not loops[0]._latest), "keys that are forgotten")


async def test_a_stop_waits_for_what_is_under_way_and_begins_nothing(world: KafkaWorld) -> None:
    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    loops, make = panel(world, in_flight=1)
    await world.publish([verified(1, A), verified(1, B), verified(2, A)], partition=0)
    async with world.running(make, gated) as task:
        await asyncio.wait_for(gated.waiting.wait(), 20)
        await asyncio.sleep(0.5)
        loops[0].stop()
        await asyncio.sleep(0.5)
        assert not task.done()
        gated.gate.set()
    assert await committed(world, 2)()
    assert len(await table(world)) == 1
