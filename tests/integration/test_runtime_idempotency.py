"""Every event has one outcome, published or a dead letter; each test fails when the line that keeps it is taken out."""

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import pytest
from redis.asyncio import Redis

from deploy.local.supervisor import Stack
from schemas.events import Event, ProblemRequested
from shared.cache.idempotency import IdempotencyStore
from shared.errors import Invalid, Transient
from shared.kafka.clients import KafkaError, Producer, TopicPartition, create_group_consumer
from shared.kafka.codec import Message, encode, pack
from shared.kafka.dlq.replay import DeadLetter, list_dead_letters, replay
from shared.kafka.names import group, kafka_topic
from shared.runtime.service import Handler
from tests.support.kafka_world import BrokenProducer, KafkaWorld, until
from tests.support.runtime_writer import SERVICE, committed, draft, write, writer


async def test_an_event_that_comes_again_is_not_handled_again(world: KafkaWorld) -> None:
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


async def test_after_a_crash_the_recorded_outcome_is_published(
    world: KafkaWorld,
) -> None:
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


async def test_output_that_the_broker_refuses_is_published_without_rework(
    world: KafkaWorld,
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


async def test_an_attempt_that_a_stalled_valkey_is_reported_twice_counts_once(stack: Stack, world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    impatient = Redis.from_url(world.valkey, socket_timeout=0.2)
    outcomes = IdempotencyStore(impatient, world.factory, SERVICE, marker_days=1, lease_s=5)
    assert (await outcomes.begin(request.id)).number == 1
    stack.kill("valkey", signal.SIGSTOP)
    try:
        stalled = asyncio.create_task(outcomes.begin(request.id))
        await asyncio.sleep(1.5)
    finally:
        stack.kill("valkey", signal.SIGCONT)
    second = await asyncio.wait_for(stalled, 10)
    assert second.number == 2
    await outcomes.release(request.id, second)
    assert (await outcomes.begin(request.id)).number == 2
    await impatient.aclose()


async def test_a_claim_sent_twice_by_a_stalled_valkey_begins_one_attempt(stack: Stack, world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    impatient = Redis.from_url(world.valkey, socket_timeout=0.2)
    outcomes = IdempotencyStore(impatient, world.factory, SERVICE, marker_days=1, lease_s=60)
    stack.kill("valkey", signal.SIGSTOP)
    try:
        stalled = asyncio.create_task(outcomes.claim(request.id, begin=True))
        await asyncio.sleep(1.5)
    finally:
        stack.kill("valkey", signal.SIGCONT)
    claim = await asyncio.wait_for(stalled, 10)
    assert claim.lease
    assert claim.begun
    assert (await outcomes.begin(request.id)).number == 2
    await impatient.aclose()


async def test_an_event_is_marked_done_when_its_offset_is_committed(world: KafkaWorld) -> None:
    settings, requests = world.settings(SERVICE), world.requests(3)
    await world.publish(requests)
    async with world.running(writer(world, settings, write)):
        await until(lambda: committed(world, 3), "the commit")
        assert all([(await world.outcomes(settings).claim(request.id)).done for request in requests])


async def test_of_two_outcomes_of_one_event_only_the_first_is_ever_published(world: KafkaWorld) -> None:
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
async def test_a_failing_event_becomes_a_dead_letter_and_parks_its_problem(
    world: KafkaWorld, error: Exception, calls: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # half a pair in a captured line cannot be reported by a parallel run
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


async def test_transient_errors_are_retried_until_they_pass(world: KafkaWorld) -> None:
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


def _bad_records(good: ProblemRequested) -> dict[str, Callable[[KafkaWorld], Awaitable[None]]]:
    message = encode(good, "test")
    headers = dict(message.headers)

    def put(
        value: bytes | None, key: bytes | None = message.key, **changes: bytes | None
    ) -> Callable[[KafkaWorld], Awaitable[None]]:
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


async def test_invalid_records_become_dead_letters_with_their_bytes(
    world: KafkaWorld,
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


class CrashingProducer(Producer):
    """A real producer that fails right after a dead letter is acknowledged, as if the process were killed there."""

    async def publish(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        await super().publish(messages)
        if any(message.name == "dead-letters" for message in messages):
            raise KafkaError("killed")


@pytest.mark.parametrize("error", [Invalid("first"), Transient("first"), ZeroDivisionError("first")])
async def test_a_crash_after_a_dead_letter_gives_no_second_reason(world: KafkaWorld, error: Exception) -> None:
    handled = Counter[str]()

    def handler(name: str, result: Exception | None) -> Handler:
        async def handle(request: ProblemRequested) -> Iterable[Event]:
            handled[name] += 1
            if result:
                raise result
            return [draft(request)]

        return handle

    settings = world.settings(SERVICE, attempts=2)
    (request,) = world.requests(1)
    await world.publish([request])
    crashing = CrashingProducer(world.access, world.factory)
    async with world.running(writer(world, settings, handler("before", error)), crashing) as task:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert await committed(world, 0)
    async with world.running(writer(world, settings, handler("after", None))):
        await until(lambda: committed(world, 1), "the commit")
        await world.publish([request])
        await until(lambda: committed(world, 2), "the repeated event")
    letters = await world.records("dead-letters")
    assert {dict(letter.headers)["chimera-message"] for letter in letters} == {b"first"}
    assert len({parked.id for parked in await world.events("problem.parked")}) == 1
    assert await world.events("problem.drafted") == []
    assert handled == {"before": 1 if isinstance(error, Invalid) else 2}


async def test_each_replay_of_a_dead_letter_is_handled_once(world: KafkaWorld) -> None:
    reasons = iter(["first", "second", "third"])

    async def handle(_: ProblemRequested) -> Iterable[Event]:
        raise Invalid(next(reasons))

    async def letters() -> list[DeadLetter]:
        return await list_dead_letters(world.access, world.factory)

    async def has_letters(number: int) -> bool:
        return len(await letters()) == number

    await world.publish(world.requests(1))
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: has_letters(1), "the first dead letter")
        await replay(world.access, world.factory, await letters())
        await until(lambda: has_letters(2), "the dead letter of the replay")
        await until(lambda: committed(world, 2), "the commit of the replay")
    for place, committed_before in (await world.committed(SERVICE, "problem.requested")).items():
        if committed_before:
            await commit_back(world, place)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 2), "both records again")
    assert [letter.message for letter in await letters()] == ["first", "second"]


async def commit_back(world: KafkaWorld, partition: int) -> None:
    """Commit offset 0 for a partition, as if the process had died before its commits."""
    consumer = create_group_consumer(world.access, group(world.factory, SERVICE))
    await consumer.start()
    place = TopicPartition(kafka_topic(world.factory, "problem.requested"), partition)
    consumer.assign([place])
    await consumer.commit({place: 0})
    await consumer.stop()
