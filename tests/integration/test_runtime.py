"""The promises of the runtime, each on the real broker, each failing when the line that keeps it is taken out."""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from deploy.local.supervisor import Stack
from schemas.events import Event, ProblemDrafted, ProblemRequested
from schemas.item import Problem
from shared.cache.outcomes import Outcomes
from shared.errors import Invalid, Refusal, Transient
from shared.kafka.clients import KafkaError, Producer
from shared.kafka.codec import encode, pack
from shared.kafka.names import group, kafka_topic
from shared.runtime.service import Handler
from shared.runtime.stateless import StatelessLoop
from shared.settings import Settings
from tests.world import BrokenProducer, GatedProducer, World, until

SERVICE = "problem_writer"


def draft(request: ProblemRequested, statement: str = "one?") -> ProblemDrafted:
    problem = Problem(statement=statement, answer="1", answer_type="number", rationale="")
    return ProblemDrafted.of(request, SERVICE, request.item.with_(problem=problem))


def writer(world: World, settings: Settings, handle: Handler) -> Callable[[Producer], StatelessLoop]:
    return lambda producer: StatelessLoop(handle, settings, producer, world.outcomes(settings))


async def write(request: ProblemRequested) -> Iterable[Event]:
    return [draft(request)]


async def committed(world: World, number: int) -> bool:
    return sum((await world.committed(SERVICE, "problem.requested")).values()) == number


async def test_an_offset_is_committed_only_after_what_was_produced_is_acknowledged(world: World) -> None:
    producer = GatedProducer(world.access, world.factory)
    await world.publish(world.requests(1))
    async with world.running(writer(world, world.settings(SERVICE), write), producer):
        await producer.waiting.wait()
        await asyncio.sleep(0.5)  # several commit intervals
        assert await committed(world, 0)
        producer.gate.set()
        await until(lambda: committed(world, 1), "the commit after the acknowledgement")
    assert len(await world.events("problem.drafted")) == 1


async def test_nothing_is_committed_past_an_unfinished_record(world: World) -> None:
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
        await asyncio.sleep(0.5)
        assert await committed(world, 0)
        gate.set()
        await until(lambda: committed(world, 20), "the commit of all")


async def test_a_partition_behind_a_slow_record_stays_paused_through_a_rebalance_while_others_flow(
    world: World,
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


async def test_a_full_process_takes_no_more_than_its_limit_and_stays_in_its_group(world: World) -> None:
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


async def test_an_event_that_comes_again_is_not_handled_again(world: World) -> None:
    handled = Counter[UUID]()

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        handled[request.id] += 1
        return [draft(request)]

    requests = world.requests(5)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await world.publish(requests)
        await until(lambda: committed(world, 5), "the first time")
        await world.publish(requests)
        await until(lambda: committed(world, 10), "the second time")
    assert set(handled.values()) == {1}
    assert len(await world.events("problem.drafted")) == 5


async def test_after_a_crash_before_publishing_the_recorded_outcome_is_published_not_a_new_one(world: World) -> None:
    (request,) = world.requests(1)
    settings = world.settings(SERVICE)
    first, second = draft(request, "first?"), draft(request, "second?")
    await world.outcomes(settings).record(request.id, pack([encode(first, f"{world.factory}/{SERVICE}")]))

    async def handle(_: ProblemRequested) -> Iterable[Event]:
        return [second]

    await world.publish([request])
    async with world.running(writer(world, settings, handle)):
        await until(lambda: committed(world, 1), "the commit")
    assert await world.events("problem.drafted") == [first]


async def test_a_broker_that_refuses_stops_the_process_and_the_next_publishes_without_working_again(
    world: World,
) -> None:
    handled = Counter[UUID]()

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        handled[request.id] += 1
        return [draft(request)]

    settings = world.settings(SERVICE)
    await world.publish(world.requests(1))
    async with world.running(
        writer(world, settings, handle), BrokenProducer(world.access, world.factory, "problem.drafted")
    ) as task:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert await committed(world, 0)
    async with world.running(writer(world, settings, handle)):
        await until(lambda: committed(world, 1), "the commit")
    assert set(handled.values()) == {1}
    assert len(await world.events("problem.drafted")) == 1


async def test_a_stop_is_not_held_up_by_a_rebalance_that_waits_for_another_member(world: World) -> None:
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
            joining[0]._intake.stop()
            await asyncio.sleep(0.5)
            assert joining[0]._consumer._closed, "it still waits for partitions that it will not use"
            gate.set()
            await asyncio.wait_for(asyncio.shield(task), 15)


async def test_an_attempt_that_a_stalled_valkey_is_told_twice_counts_once(stack: Stack, world: World) -> None:
    (request,) = world.requests(1)
    impatient = Redis.from_url(world.valkey, socket_timeout=0.2)
    outcomes = Outcomes(impatient, world.factory, SERVICE, marker_days=1, lease_s=5)
    assert (await outcomes.begin(request.id)).number == 1
    stack.kill("valkey", signal.SIGSTOP)
    try:
        stalled = asyncio.create_task(outcomes.begin(request.id))
        await asyncio.sleep(1.5)
    finally:
        stack.kill("valkey", signal.SIGCONT)
    second = await asyncio.wait_for(stalled, 10)
    assert second.number == 2
    await outcomes.hand_over(request.id, second)
    assert (await outcomes.begin(request.id)).number == 2
    await impatient.aclose()


async def test_of_two_outcomes_of_one_event_only_the_first_is_ever_published(world: World) -> None:
    settings = world.settings(SERVICE)
    (request,) = world.requests(1)
    first = draft(request, "first?")

    async def handle(_: ProblemRequested) -> Iterable[Event]:
        # meanwhile two other owners of the partition finish the same event
        for outcome in (first, draft(request, "third?")):
            await world.outcomes(settings).record(request.id, pack([encode(outcome, f"{world.factory}/{SERVICE}")]))
        return [draft(request, "second?")]

    await world.publish([request])
    async with world.running(writer(world, settings, handle)):
        await until(lambda: committed(world, 1), "the commit")
    assert await world.events("problem.drafted") == [first]


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (Invalid("no good"), 1),
        (Transient("later"), 3),
        (ZeroDivisionError("a bug"), 3),
        (Invalid("half a pair: \ud800"), 1),
    ],
    ids=["invalid at once", "transient after retries", "bug after retries", "a reason that is no valid text"],
)
async def test_a_failing_event_becomes_a_dead_letter_with_its_reason_and_its_problem_is_parked(
    world: World, error: Exception, calls: int
) -> None:
    requests = world.requests(3)
    tried = Counter[UUID]()

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        tried[request.id] += 1
        if request.id == requests[1].id:
            raise error
        return [draft(request)]

    await world.publish(requests)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 3), "all three finished")
    (letter,) = await world.records("dead-letters")
    headers = dict(letter.headers)
    assert letter.value == encode(requests[1], "").value
    assert headers["chimera-service"] == SERVICE.encode()
    assert headers["chimera-error"] == type(error).__name__.encode()
    assert headers["chimera-message"] == str(error).encode(errors="backslashreplace")
    assert headers["chimera-attempts"] == str(calls).encode()
    assert tried[requests[1].id] == calls
    (parked,) = await world.events("problem.parked")
    assert parked.problem_id == requests[1].id
    assert {event.item.id for event in await world.events("problem.drafted")} == {requests[0].id, requests[2].id}


async def test_transient_errors_are_retried_until_they_pass(world: World) -> None:
    tries = 0

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Transient("busy")
        return [draft(request)]

    await world.publish(world.requests(1))
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 1), "the third try")
    assert len(await world.events("problem.drafted")) == 1
    assert await world.records("dead-letters") == []


async def test_a_process_stops_when_event_after_event_fails_by_a_bug(world: World) -> None:
    async def handle(_: ProblemRequested) -> Iterable[Event]:
        raise ZeroDivisionError

    settings = world.settings(SERVICE, bugs_in_a_row=5, attempts=1, in_flight=1)
    await world.publish(world.requests(50))
    async with world.running(writer(world, settings, handle)) as task:
        with pytest.raises(Refusal, match="5 events in a row"):
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert len(await world.records("dead-letters")) < 6


async def test_a_group_that_lost_its_offsets_refuses_to_start(world: World) -> None:
    settings = world.settings("nobody-gave-it-offsets")

    def stranger(producer: Producer) -> StatelessLoop:
        loop = StatelessLoop(write, settings, producer, world.outcomes(settings))
        loop._topics = [kafka_topic(world.factory, "problem.requested")]
        return loop

    await world.publish(world.requests(1))
    async with world.running(stranger) as task:
        with pytest.raises(Refusal, match="lost its place"):
            await asyncio.wait_for(asyncio.shield(task), 20)


async def test_an_event_of_five_megabytes_passes(world: World) -> None:
    (request,) = world.requests(1)
    statement = "".join(chr(0x4E00 + n % 20_000) for n in range(5 * 1024 * 1024 // 3))

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        return [draft(request, statement)]

    await world.publish([request])
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 1), "the commit")
    (event,) = await world.events("problem.drafted")
    assert event.item.written.statement == statement


def _bad_records(good: ProblemRequested) -> dict[str, Callable[[World], Awaitable[None]]]:
    message = encode(good, "test")
    headers = dict(message.headers)

    def put(
        value: bytes | None, key: bytes | None = message.key, **changes: bytes | None
    ) -> Callable[[World], Awaitable[None]]:
        return lambda world: world.put(message.name, key, value, list({**headers, **changes}.items()))

    return {
        "broken JSON": put(b'{"id": '),
        "null value": put(None),
        "empty value": put(b""),
        "invalid UTF-8": put(b'{"id": "\xff\xfe"}'),
        "wrong type": put(b"[1, 2]"),
        "deep nesting": put(b"[" * 100_000),
        "9 MB": put(b'{"x": "' + b"x" * 9 * 1024 * 1024 + b'"}'),
        "unknown event type": put(message.value, ce_type=b"chimera.problem.invented.v1"),
        "null header": put(message.value, ce_type=None),
        "unknown major": put(message.value, ce_type=b"chimera.problem.requested.v9"),
        "another key": put(message.value, key=b"another"),
        "an id that is not derived": put(
            (message.value or b"").replace(str(good.id).encode(), b"00000000-0000-0000-0000-000000000000", 1)
        ),
    }


async def test_records_that_are_no_events_become_dead_letters_with_their_bytes_while_neighbours_go_on(
    world: World,
) -> None:
    good = world.requests(12)
    bad = _bad_records(good[-1])
    async with world.running(writer(world, world.settings(SERVICE), write)):
        for request, put in zip(good, bad.values(), strict=False):
            await world.publish([request])
            await put(world)
        await until(lambda: committed(world, 2 * len(bad)), "everything finished")
    sent = await world.records("problem.requested")
    letters = await world.records("dead-letters")
    places = {(int(dict(r.headers)["chimera-partition"]), int(dict(r.headers)["chimera-offset"])) for r in letters}
    by_place = {(r.partition, r.offset): r for r in sent}
    assert len(letters) == len(places) == len(bad)
    assert sorted(by_place[place].value or b"" for place in places) == sorted(r.value or b"" for r in letters)
    assert all(dict(r.headers)["chimera-error"] == b"Invalid" for r in letters)
    assert {e.item.id for e in await world.events("problem.drafted")} == {request.id for request in good[: len(bad)]}
