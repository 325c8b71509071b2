"""What a process promises when it is killed, stopped, or left without broker or cache."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from deploy.local.ports import Ports
from deploy.local.state_file import StateFile
from deploy.local.supervisor import Stack
from schemas.events import ProblemRequested
from shared.kafka.admin.topics import provision, topic_settings
from shared.kafka.clients import create_group_consumer, open_admin
from shared.kafka.codec import encode
from shared.kafka.lag import committed_offsets as places
from shared.kafka.names import group, kafka_topic
from shared.kafka.partitions import partitions_of
from shared.runtime.process import WARN_EVERY_S
from tests.support.kafka_world import KafkaWorld, OsProcess, until
from tests.support.runtime_writer import SERVICE, committed

MODULE = "tests.integration.throwaway.writer"


@asynccontextmanager
async def writer(world: KafkaWorld, **changes: object) -> AsyncIterator[OsProcess]:
    async with world.process(MODULE, SERVICE, **changes) as process:
        yield process


def calls(world: KafkaWorld) -> Counter[UUID]:
    file = world.folder / "calls"
    return Counter(UUID(line) for line in file.read_text().split()) if file.exists() else Counter()


def hold(world: KafkaWorld, request: ProblemRequested) -> Path:
    file = world.folder / f"hold-{request.id}"
    file.touch()
    return file


async def called(world: KafkaWorld, request: ProblemRequested) -> None:
    async def is_called() -> bool:
        return request.id in calls(world)

    await until(is_called, "the call")


async def _all_called(world: KafkaWorld, before: Counter[UUID], number: int) -> bool:
    return len(calls(world) - before) == number


async def drafted(world: KafkaWorld) -> dict[UUID, set[str]]:
    """What was published about each problem, without repetitions."""
    found: dict[UUID, set[str]] = {}
    for event in await world.events("problem.drafted"):
        found.setdefault(event.item.id, set()).add(event.item.problem.statement)
    return found


async def test_only_the_event_that_crashes_the_process_becomes_a_dead_letter(
    world: KafkaWorld,
) -> None:
    requests = world.requests(32)
    deadly = requests[20]
    (world.folder / f"deadly-{deadly.id}").touch()
    await world.publish(requests)
    for _ in range(2):
        held, before = {request.id: hold(world, request) for request in requests}, calls(world)
        async with writer(world, attempts=3) as process:
            await until(lambda: _all_called(world, before, 32), "all of them in flight")  # noqa: B023 - awaited here
            held[deadly.id].unlink()
            assert await process.end() == -signal.SIGKILL
    for file in held.values():
        file.unlink(missing_ok=True)
    before = calls(world)
    async with writer(world, attempts=3) as process:
        assert await process.end() == -signal.SIGKILL
    assert (calls(world) - before)[deadly.id] == 1
    async with writer(world, attempts=3):
        await until(lambda: committed(world, 32), "the commit of all")
    (letter,) = await world.records("dead-letters")
    assert letter.value == encode(deadly, "").value
    assert dict(letter.headers)["chimera-message"] == b"the process died while it worked on this event"
    assert dict(letter.headers)["chimera-attempts"] == b"3"
    assert set(await drafted(world)) == {request.id for request in requests} - {deadly.id}


async def test_sigterm_releases_partitions_while_a_running_call_finishes_once(
    world: KafkaWorld,
) -> None:
    requests = world.requests(4)
    held = hold(world, requests[3])
    await world.publish(requests, partition=0)
    async with writer(world, grace_s=20) as process:
        await called(world, requests[3])
        await until(lambda: committed(world, 3), "the commit of those before it")
        process.send(signal.SIGTERM)
        started = monotonic()

        async def unready() -> bool:
            return await process.readyz() == 503

        await until(unready, "unreadiness", within_s=2)
        heir = create_group_consumer(world.access, group(world.factory, SERVICE), session_s=6)
        heir.subscribe([kafka_topic(world.factory, "problem.requested")])
        await heir.start()
        try:
            await asyncio.wait_for(_everything_assigned(heir), 5)
            assert await committed(world, 3)
        finally:
            await heir.stop()
        assert monotonic() - started < 5
        held.unlink()
        assert await process.end(within_s=5) == 0
    async with writer(world):
        await until(lambda: committed(world, 4), "the commit by the next process")
    assert calls(world) == Counter(request.id for request in requests)
    assert len(await world.events("problem.drafted")) == 4


async def test_a_job_process_ends_when_idle_but_not_while_a_call_runs(world: KafkaWorld) -> None:
    requests = world.requests(2)
    held = hold(world, requests[1])
    await world.publish(requests)
    async with writer(world, idle_s=0.5) as process:
        await called(world, requests[1])
        await until(lambda: committed(world, 1), "the commit of the other one")
        await asyncio.sleep(1)  # twice as long as it may be idle
        assert await process.readyz() == 200
        held.unlink()
        assert await process.end(within_s=20) == 0
    assert await committed(world, 2)


async def _everything_assigned(heir: AIOKafkaConsumer) -> None:
    while len(heir.assignment()) < 8:
        await heir.getmany(timeout_ms=50)


async def test_a_call_that_outlasts_three_deploys_is_made_once(world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    held = hold(world, request)
    await world.publish([request])
    async with AsyncExitStack() as running:
        first = await running.enter_async_context(writer(world, grace_s=60))
        await called(world, request)
        before = first
        for _ in range(3):
            heir = await running.enter_async_context(writer(world, grace_s=60))
            before.send(signal.SIGTERM)
            await until(heir.owns_everything, "the next owner of all partitions")
            if before is not first:
                assert await before.end(within_s=5) == 0, "it waited for a call that is not its own"
            before = heir
        assert await committed(world, 0)
        held.unlink()
        assert await first.end(within_s=5) == 0
        await until(lambda: committed(world, 1), "the commit by the last of them")
    assert calls(world) == Counter({request.id: 1})
    assert len(await drafted(world)) == 1


async def test_the_work_of_a_hanging_process_is_taken_over_after_its_lease(world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    held = hold(world, request)
    await world.publish([request])
    async with writer(world) as hanging:
        await called(world, request)
        hanging.send(signal.SIGSTOP)
        held.unlink()
        async with writer(world):
            await until(lambda: committed(world, 1), "the commit by the other")
            hanging.send(signal.SIGCONT)
            hanging.send(signal.SIGTERM)
            assert await hanging.end() == 0
    assert all(len(contents) == 1 for contents in (await drafted(world)).values())
    assert await world.records("dead-letters") == []


async def test_a_call_cancelled_after_the_grace_period_is_not_an_attempt(
    world: KafkaWorld,
) -> None:
    (request,) = world.requests(1)
    held = hold(world, request)
    await world.publish([request])
    async with writer(world, attempts=1, grace_s=0.2) as process:
        await called(world, request)
        process.send(signal.SIGTERM)
        assert await process.end(within_s=5) == 0
    held.unlink()
    async with writer(world, attempts=1):
        await until(lambda: committed(world, 1), "the commit by the next process")
    assert calls(world)[request.id] == 2
    assert await world.records("dead-letters") == []


async def test_after_a_kill_nothing_is_lost_and_one_id_has_one_content(world: KafkaWorld) -> None:
    requests = world.requests(60)
    held = hold(world, requests[40])
    await world.publish(requests)
    async with writer(world, in_flight=8) as process:
        await called(world, requests[40])
        process.send(signal.SIGKILL)
        assert await process.end() == -signal.SIGKILL
    before = calls(world)
    held.unlink()
    async with writer(world, in_flight=8):
        await until(lambda: committed(world, 60), "the commit of all")
    published = await drafted(world)
    assert set(published) == {request.id for request in requests}
    assert all(len(contents) == 1 for contents in published.values())
    again = calls(world) - Counter(request.id for request in requests)
    assert sum(again.values()) <= 8, "more calls were made again than were in flight"
    assert again.keys() <= before.keys()
    assert await world.records("dead-letters") == []


async def test_a_process_says_how_it_is_and_what_it_does_and_signs_its_events(world: KafkaWorld) -> None:
    (request,) = world.requests(1)
    await world.publish([request])
    async with writer(world) as process:
        await process.ready()
        await until(lambda: committed(world, 1), "the commit")
        assert (await process.get("/livez")).status_code == 200
        metrics = (await process.get("/metrics")).text
        done = 'chimera_events_total{event="problem.requested",outcome="done",service="problem_writer"} 1.0'
        assert done in metrics
        assert 'chimera_ready{service="problem_writer"} 1.0' in metrics
        process.send(signal.SIGTERM)
        assert await process.end() == 0
        (line,) = [line for line in process.log() if line["message"] == "called"]
    assert line["event_id"] == str(request.id)
    assert line["trace_id"] == request.trace.hex
    (record,) = await world.records("problem.drafted")
    headers = dict(record.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"chimera.problem.drafted.v1"
    assert headers["ce_source"] == f"/{world.factory}/problem_writer".encode()
    assert headers["traceparent"].startswith(f"00-{request.trace.hex}-".encode())
    assert record.key == str(request.id).encode()


async def test_a_process_waits_for_valkey_and_continues_by_itself(stack: Stack, world: KafkaWorld) -> None:
    before, after = world.requests(3), world.requests(20, start=10)
    await world.publish(before)
    async with writer(world, attempts=1) as process:
        await until(lambda: committed(world, 3), "the commit before")
        stack.kill("valkey", signal.SIGKILL)
        await world.publish(after)
        await until(lambda: committed(world, 23), "the commit after Valkey came back")
        assert any("valkey is unavailable" in line["message"] for line in process.log())
    assert set(await drafted(world)) == {request.id for request in before + after}
    assert await world.records("dead-letters") == []


async def test_a_valkey_that_hangs_for_twenty_seconds_costs_nothing_but_time(stack: Stack, world: KafkaWorld) -> None:
    under_way, meanwhile = world.requests(4), world.requests(20, start=10)
    held = [hold(world, request) for request in under_way]
    await world.publish(under_way)
    async with writer(world, attempts=1) as process:
        for request in under_way:
            await called(world, request)
        stack.kill("valkey", signal.SIGSTOP)
        try:
            for file in held:
                file.unlink()
            await world.publish(meanwhile)
            await asyncio.sleep(20)
            assert await committed(world, 0), "committed without its outcome on record"
            assert await process.readyz() == 200, "it left its group"
        finally:
            stack.kill("valkey", signal.SIGCONT)
        await until(lambda: committed(world, 24), "the commit after Valkey went on")
    every = [request.id for request in under_way + meanwhile]
    assert calls(world) == Counter(every), "an event was handled twice, or not at all"
    assert Counter(event.item.id for event in await world.events("problem.drafted")) == Counter(every)
    assert await world.records("dead-letters") == []


async def test_a_process_waits_for_the_broker_and_stops_when_it_is_gone_again(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "late"
    folder.mkdir()
    ports = Ports({})
    StateFile(ports={"kafka": ports.take("kafka")}).write(folder)
    world = KafkaWorld(f"127.0.0.1:{ports.take('kafka')}", stack.valkey_url, "late", tmp_path)
    ports.release()
    async with writer(world) as process, Stack(folder) as late:
        await until(process.answers, "an answer from the process without a broker")
        await asyncio.sleep(0.5)
        assert await process.readyz() == 503
        assert (await process.get("/livez")).status_code == 200
        await late.start_infrastructure()
        assert late.bootstrap == world.kafka
        await until(
            lambda: process.output("do not exist: late.dead-letters, late.incarnations"), "a word about Kafka topics"
        )
        async with open_admin(world.access) as admin:
            await admin.create_topics(list(topic_settings(world.factory, 1).values()))
        await until(lambda: process.output("late.problem_writer has no initial offsets"), "a word about offsets")
        assert await process.readyz() == 503
        await provision(world.access, world.factory)
        await process.ready()
        output = [line for line in process.log() if line["level"] != "info"]
        assert all(
            one["message"] != after["message"] or apart(one, after) > WARN_EVERY_S - 1
            for one, after in pairwise(output)
        ), "the same was output again and again"
        async with world:
            await world.publish(world.requests(2))
            await until(lambda: committed(world, 2), "the commit")
        late.kill("kafka", signal.SIGKILL)
        await until(lambda: unready(process), "a word about the lost coordinator")
        await process.ready()
        late.kill("kafka", signal.SIGSTOP)
        process.send(signal.SIGTERM)
        try:
            assert await process.end(within_s=20) == 0
        finally:
            late.kill("kafka", signal.SIGCONT)


async def unready(process: OsProcess) -> bool:
    response = await process.get("/readyz")
    return response.status_code == 503 and "coordinator" in response.text


def apart(one: dict[str, str], after: dict[str, str]) -> float:
    """Seconds between two lines of a log."""
    begun, ended = (datetime.fromisoformat(line["time"]) for line in (one, after))
    return (ended - begun).total_seconds()


async def test_a_process_whose_group_lost_its_offsets_refuses_to_begin(world: KafkaWorld) -> None:
    shape = topic_settings(world.factory, 1)["problem.requested"]
    partitions = partitions_of(world.factory, "problem.requested", 8)
    async with open_admin(world.access) as admin:
        await admin.delete_topics([shape.name])

        async def forgotten() -> bool:
            return set((await places(admin, world.factory, SERVICE, partitions)).values()) == {None}

        await until(forgotten, "the broker to forget the offsets")
        await admin.create_topics([shape])
    async with writer(world) as process:
        assert await process.end() == 1
        (line,) = [line["message"] for line in process.log() if line["level"] == "critical"]
    assert "has no valid offset" in line
