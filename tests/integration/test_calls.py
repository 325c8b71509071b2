"""No model call is paid for twice, whatever happens to the event it was made for. Counted by the endpoint itself."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.config.plan import Plan, Subject
from schemas.events import Event, ProblemDrafted, ProblemRequested
from schemas.identity import seed
from schemas.item import Problem
from services.simulator.api.server import serve
from services.simulator.settings import Settings as SimulatorSettings
from shared.cache.auto_pipeline import AutoPipeline
from shared.cache.client import connect
from shared.cache.idempotency import IdempotencyStore
from shared.cache.leases import Lease, LeaseLost, Leases
from shared.call_journal import journalled
from shared.config.connections import ValkeyAccess
from shared.errors import Transient
from shared.kafka.clients import Producer
from shared.llm import Models, Prompt
from shared.ports import Model
from shared.runtime.stateless import StatelessLoop
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.kafka_world import KafkaWorld, until

SERVICE = "problem_writer"


ASKER = "tests.integration.throwaway.asker"
EVENTS, CALLS, KILLS, IN_FLIGHT = 40, 3, 3, 8


@asynccontextmanager
async def solver(calls: Path) -> AsyncIterator[Model]:
    async with serve(SimulatorSettings(port=0, call_log=calls)) as url:
        models = Models(ModelsConfig.one(Endpoint(base_url=url, simulated=True), "sim-solver"), SERVICE)
        try:
            yield models.model("solver", Prompt("solve", "$problem"))
        finally:
            await models.aclose()


def paid(calls: Path) -> Counter[str]:
    """How often each request, to the letter, was answered."""
    return Counter(json.loads(line)["request"] for line in calls.read_text().splitlines())


async def test_a_failed_attempt_repeats_no_answered_call(world: KafkaWorld) -> None:
    file, requests, tries = world.folder / "calls", world.requests(4), Counter[UUID]()
    async with solver(file) as model:

        async def handle(request: ProblemRequested) -> Iterable[Event]:
            output = [await model.complete({"problem": "What is it?"}, seed=seed(request.id, n)) for n in range(3)]
            tries[request.id] += 1
            if tries[request.id] < 3:
                raise Transient("the fourth call fails")
            problem = Problem(statement=output[-1].text, answer="1", answer_type="number", rationale="")
            return [ProblemDrafted.of(request, SERVICE, request.item.with_(problem=problem))]

        await world.publish(requests)
        async with world.running(loop(world, handle)):
            await until(lambda: committed(world, 4), "the third attempt of each")
    assert set(tries.values()) == {3}
    assert Counter(paid(file).values()) == {1: 3 * len(requests)}


def loop(world: KafkaWorld, handle: Callable[[ProblemRequested], object]) -> Callable[[Producer], StatelessLoop]:
    settings = world.settings(SERVICE)
    return lambda producer: StatelessLoop(handle, settings, producer, world.outcomes(settings))  # type: ignore[arg-type]


async def committed(world: KafkaWorld, number: int) -> bool:
    return sum((await world.committed(SERVICE, "problem.requested")).values()) == number


@pytest.mark.parametrize("fault", [503, "silence"])
async def test_a_dead_endpoint_delays_no_stop(
    world: KafkaWorld, fault: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.llm.limiter.circuit_breaker.FIRST_PROBE_S", 0.1)
    server, settings = FakeEndpoint(fault=503), world.settings(SERVICE, grace_s=60)
    async with server.listen() as url:
        models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1"), "m"), SERVICE)
        model = models.model("solver", Prompt("solve", "$problem"))

        async def handle(request: ProblemRequested) -> Iterable[Event]:
            await model.complete({"problem": "What is it?"}, seed=seed(request.id, 1))
            return []

        def make(producer: Producer) -> StatelessLoop:
            loops.append(StatelessLoop(handle, settings, producer, world.outcomes(settings)))
            return loops[0]

        loops: list[StatelessLoop] = []
        await world.publish(world.requests(20))
        async with world.running(make) as task:
            await until(lambda: _is(model.channel.limiter.is_open), "an open circuit")
            server.fault, seen = fault, len(server.seeds)
            await until(lambda: _is(len(server.seeds) > seen), "a probe")
            loops[0].stop()
            await asyncio.wait_for(asyncio.shield(task), 10)
        await models.aclose()
    assert await committed(world, 0)


async def _is(value: bool) -> bool:
    return value


async def test_a_process_killed_at_any_moment_repeats_no_recorded_call(world: KafkaWorld) -> None:
    file, dice, again = world.folder / "calls", Random(5), 0
    await world.publish(world.requests(EVENTS))
    async with serve(SimulatorSettings(port=0, call_log=file, latency_ms={"sim-solver": 40})) as url:
        place = written(world.folder, url)
        for n in range(KILLS + 1):
            before = requested(file)
            kept = await world.seeds_on_record(SERVICE)
            async with world.process(ASKER, SERVICE, **place, in_flight=IN_FLIGHT, attempts=9) as process:
                if n < KILLS:
                    await until(lambda: more_than(file, before, 10), "some calls")  # noqa: B023 - awaited here
                    await asyncio.sleep(dice.uniform(0, 0.1))
                    process.send(signal.SIGKILL)
                    await process.end()
                else:
                    await until(lambda: committed(world, EVENTS), "the commit of all")
            new = requested(file) - before
            assert not new.keys() & kept, "a call was made although its result is on record"
            again += sum((new & before).values())
    assert again <= KILLS * IN_FLIGHT
    assert set(requested(file)) == {seed(request.id, n) for request in world.requests(EVENTS) for n in range(CALLS)}
    assert await world.records("dead-letters") == []


async def test_a_process_frozen_beyond_its_lease_repeats_only_calls_in_flight(world: KafkaWorld) -> None:
    file, requests = world.folder / "calls", world.requests(EVENTS)
    async with serve(SimulatorSettings(port=0, call_log=file, latency_ms={"sim-solver": 200})) as url:
        place = written(world.folder, url)
        async with (
            world.process(ASKER, SERVICE, **place, in_flight=IN_FLIGHT) as frozen,
            world.process(ASKER, SERVICE, **place, in_flight=IN_FLIGHT) as heir,
        ):
            await until(partial(frozen.owns_everything, 4), "half of the partitions")
            await world.publish(requests)
            await until(lambda: more_than(file, Counter(), IN_FLIGHT), "some calls")
            frozen.send(signal.SIGSTOP)
            await until(heir.owns_everything, "the other half")
            await until(lambda: finished(world, EVENTS), "all events")
            frozen.send(signal.SIGCONT)
            await world.publish(requests)
            await until(lambda: committed(world, 2 * EVENTS), "the commit of all")
    assert (requested(file) - Counter(set(requested(file)))).total() <= IN_FLIGHT
    assert await world.records("dead-letters") == []


async def test_a_call_that_waits_beyond_its_lease_is_not_sent(world: KafkaWorld) -> None:
    settings, event = world.settings(SERVICE, lease_s=1), world.requests(1)[0].id
    frozen, heir = world.outcomes(settings), world.outcomes(settings)  # neither renews its leases
    server, known = FakeEndpoint(fault=429, retry_after_s=2), await frozen.claim(event)
    assert known.lease is not None
    async with server.listen() as url:
        models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1"), "m"), SERVICE)
        model = models.model("solver", Prompt("solve", "$problem"))
        async with frozen.hold_lease(event, known.lease, known.calls) as calls, journalled(calls):
            call = asyncio.create_task(model.complete({"problem": "What is it?"}, seed=1))
            await until(lambda: _is(bool(server.seeds)), "a refusal")
            server.fault = None
            await until(lambda: owned(heir, event), "the heir's lease")
            with pytest.raises(LeaseLost):
                await call
        await models.aclose()
    assert len(server.seeds) == 1


async def test_a_lease_may_be_lost_after_its_time_and_not_after_a_renewal(world: KafkaWorld) -> None:
    valkey = connect(ValkeyAccess(world.valkey))
    leases, lease = Leases(AutoPipeline(valkey), 0.3), Lease(f"{world.factory}:lease", f"{world.factory}:outcome")
    await asyncio.sleep(0.35)
    leases.track(lease, lambda: None)
    assert leases.may_be_lost(lease)
    async with leases.renewing():
        await until(lambda: _is(not leases.may_be_lost(lease)), "a renewal")
    leases.untrack(lease)
    assert leases.may_be_lost(lease)
    await valkey.aclose()


async def owned(outcomes: IdempotencyStore, event: UUID) -> bool:
    return (await outcomes.claim(event)).lease is not None


async def finished(world: KafkaWorld, number: int) -> bool:
    return len({event.item.id for event in await world.events("problem.drafted")}) == number


def written(folder: Path, url: str) -> dict[str, Path]:
    """The files that a service reads, as settings."""
    models, plan = folder / "models.json", folder / "plan.json"
    models.write_text(ModelsConfig.one(Endpoint(base_url=url), "sim-solver").model_dump_json())
    plan.write_text(Plan(name="calls", rows=1, subjects={"physics": Subject()}).model_dump_json())
    return {"models": models, "plan": plan}


def requested(calls: Path) -> Counter[int]:
    """How often each call, known by its seed, was answered."""
    return Counter(json.loads(line)["seed"] for line in calls.read_text().splitlines()) if calls.exists() else Counter()


async def more_than(calls: Path, before: Counter[int], number: int) -> bool:
    return requested(calls).total() > before.total() + number


async def test_a_result_that_comes_while_others_are_written_is_written_too(world: KafkaWorld) -> None:
    outcomes, event = world.outcomes(world.settings(SERVICE)), world.requests(1)[0].id
    async with outcomes.renewing_leases():
        known = await outcomes.claim(event)
        assert known.lease is not None
        async with outcomes.hold_lease(event, known.lease, known.calls) as calls:
            calls.put("first", b"1")
            writing = asyncio.create_task(calls.get("third"))
            for _ in range(3):  # it is on its way to Valkey by then
                await asyncio.sleep(0)
            calls.put("second", b"2")
            await writing
            await calls.save()
        assert (await outcomes.claim(event)).calls == {"first": b"1", "second": b"2"}
