"""Offsets, limits and the group: what the intake promises; each test fails when the line that keeps it is taken out."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY

from schemas.events import Event, ProblemRequested
from shared.errors import Refusal
from shared.kafka import clients
from shared.kafka.clients import Producer
from shared.kafka.consume import group_consumer
from shared.kafka.names import group, kafka_topic
from shared.runtime.stateless import StatelessLoop
from tests.support.kafka_world import GatedProducer, KafkaWorld, until
from tests.support.runtime_writer import SERVICE, committed, draft, write, writer


async def test_an_offset_is_committed_only_after_acknowledged_output(world: KafkaWorld) -> None:
    producer = GatedProducer(world.access, world.factory)
    await world.publish(world.requests(1))
    async with world.running(writer(world, world.settings(SERVICE), write), producer):
        await producer.waiting.wait()
        await asyncio.sleep(1.5)  # several commit intervals
        assert await committed(world, 0)
        producer.gate.set()
        await until(lambda: committed(world, 1), "the commit after the acknowledgement")
    assert len(await world.events("problem.drafted")) == 1


async def test_nothing_is_committed_past_an_unfinished_record(world: KafkaWorld) -> None:
    requests = world.requests(20)
    slow, gate, done = requests[0].id, asyncio.Event(), Counter[UUID]()

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        if request.id == slow:
            await gate.wait()
        done[request.id] += 1
        return []

    async def others_done() -> bool:
        return len(done) == 19

    await world.publish(requests, partition=0)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(others_done, "the neighbours of the slow record")
        await asyncio.sleep(1.5)
        assert await committed(world, 0)
        gate.set()
        await until(lambda: committed(world, 20), "the commit of all")


async def test_only_the_partition_of_a_slow_record_is_paused_by_a_rebalance(
    world: KafkaWorld,
) -> None:
    behind = world.requests(120)
    slow, gate, begun = behind[0].id, asyncio.Event(), Counter[UUID]()
    elsewhere = world.requests(40, start=200)

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        begun[request.id] += 1
        if request.id == slow:
            await gate.wait()
        return []

    def begun_of(requests: list[ProblemRequested]) -> int:
        return sum(request.id in begun for request in requests)

    async def others_done() -> bool:
        return begun_of(elsewhere) == 40

    settings = world.settings(SERVICE, uncommitted=10, in_flight=4, drain_s=0.5)
    limit = 1 + settings.uncommitted + settings.in_flight
    await world.publish(behind, partition=0)
    async with world.running(writer(world, settings, handle)):
        await until(lambda: _soon(begun_of(behind) >= 11), "the partition at its limit")
        await world.publish(elsewhere, partition=1)
        await until(others_done, "the other partition")
        assert begun_of(behind) <= limit
        visitor = AIOKafkaConsumer(bootstrap_servers=world.kafka, group_id=group(world.factory, SERVICE))
        visitor.subscribe([kafka_topic(world.factory, "problem.drafted")])
        await visitor.start()
        await visitor.stop()
        more = world.requests(40, start=300)
        await world.publish(more, partition=1)
        await until(lambda: _soon(begun_of(more) == 40), "the other partition after the rebalance")
        await asyncio.sleep(1)
        assert begun_of(behind) <= limit + settings.in_flight
        assert max(begun.values()) == 1, "a record that still runs was begun again after the rebalance"
        gate.set()
        await until(lambda: committed(world, 200), "the commit of all")
    assert set(begun.values()) == {1}


async def _soon(value: bool) -> bool:
    return value


async def test_a_full_process_keeps_its_limit_and_stays_in_its_group(world: KafkaWorld) -> None:
    running, most, gate = 0, 0, asyncio.Event()

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return [draft(request)]

    settings = world.settings(SERVICE, in_flight=4, poll_s=1.5)
    await world.publish(world.requests(30))
    loop = None

    def make(producer: Producer) -> StatelessLoop:
        nonlocal loop
        loop = writer(world, settings, handle)(producer)
        return loop

    async with world.running(make):
        await until(lambda: _soon(running == 4), "the first four")
        await asyncio.sleep(4)  # far beyond the poll interval
        assert most == 4
        assert REGISTRY.get_sample_value("chimera_in_flight", {"service": SERVICE}) == 4, "more were taken than run"
        assert loop is not None
        assert len(loop._consumer.assignment()) == 8, "it fell out of its group"
        gate.set()
        await until(lambda: committed(world, 30), "the commit of all")
    assert most == 4


async def test_no_record_waits_for_the_long_fetch_of_an_idle_member(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_consumer, "IDLE_AFTER_S", 0.1)
    monkeypatch.setattr(group_consumer, "IDLE_FETCH_WAIT_MS", 30_000)
    loops: list[StatelessLoop] = []

    def make(producer: Producer) -> StatelessLoop:
        loops.append(writer(world, world.settings(SERVICE), write)(producer))
        return loops[0]

    within_s = 25.0  # less than one such fetch
    async with world.running(make) as task:
        for number in (3, 6):
            await until(lambda: _soon(loops[0]._consumer.is_idle), "an idle member")
            await asyncio.sleep(0.3)  # the short fetch ends
            for sent, partition in enumerate((0, 0, 1)):
                await world.publish(world.requests(1, start=10 * number + sent), partition=partition)
                await until(lambda: committed(world, number - 2 + sent), "the commit", within_s)  # noqa: B023 - awaited here
        await until(lambda: _soon(loops[0]._consumer.is_idle), "an idle member")
        loops[0].stop()
        await asyncio.wait_for(asyncio.shield(task), within_s)


async def test_a_rebalance_that_waits_for_another_member_delays_no_stop(world: KafkaWorld) -> None:
    gate = asyncio.Event()
    begun = asyncio.Event()

    async def handle(_: ProblemRequested) -> Iterable[Event]:
        begun.set()
        await gate.wait()
        return []

    settings = world.settings(SERVICE, drain_s=20)
    await world.publish(world.requests(1))
    async with world.running(writer(world, settings, handle)):
        await asyncio.wait_for(begun.wait(), 20)
        joining: list[StatelessLoop] = []

        def join(producer: Producer) -> StatelessLoop:
            joining.append(writer(world, settings, handle)(producer))
            return joining[0]

        async with world.running(join) as task:
            await asyncio.sleep(1)  # it joins, and the other drains
            assert joining[0].why_not_ready() == "no partitions assigned yet"
            joining[0].stop()
            await asyncio.sleep(0.5)
            assert joining[0]._consumer._closed, "it still waits for partitions that it will not use"
            gate.set()
            await asyncio.wait_for(asyncio.shield(task), 15)


async def test_a_running_service_handles_events_in_added_partitions(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "METADATA_AGE_MS", 500)
    await world.publish(world.requests(2))
    async with world.running(writer(world, world.settings(SERVICE), write)) as task:
        await until(lambda: committed(world, 2), "the first events")
        await world.add_partitions(12, "problem.requested", "problem.drafted")
        for index, partition in enumerate((8, 11, 3)):
            await world.publish(world.requests(1, start=10 + index), partition)
        await until(lambda: committed(world, 5), "the events of all partitions")
        assert not task.done()
    assert len(await world.records("problem.drafted")) == 5


async def test_a_group_that_lost_its_offsets_refuses_to_start(world: KafkaWorld) -> None:
    settings = world.settings("nobody-gave-it-offsets")

    def stranger(producer: Producer) -> StatelessLoop:
        loop = StatelessLoop(write, settings, producer, world.outcomes(settings))
        loop._topics = [kafka_topic(world.factory, "problem.requested")]
        return loop

    await world.publish(world.requests(1))
    async with world.running(stranger) as task:
        with pytest.raises(Refusal, match="has no valid offset"):
            await asyncio.wait_for(asyncio.shield(task), 20)


async def test_an_event_of_five_megabytes_passes(world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    statement = "".join(chr(0x4E00 + n % 20_000) for n in range(5 * 1024 * 1024 // 3))

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        return [draft(request, statement)]

    await world.publish([request])
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 1), "the commit")
    (event,) = await world.events("problem.drafted")
    assert event.item.written.statement == statement
