"""One eventful run of two factories; each test looks at another promise in what is left."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.supervisor import Stack
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Solving
from schemas.flow import FLOW, SERVICES
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.kafka.names import kafka_topic
from tests.e2e.factory import Remains, lag
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

SEED = 21
SESSION_S = 6
LEASE_S = 4
"""Shorter than a process is frozen: others take its work on."""
SLOW: dict[str, dict[str, Any]] = {
    "latency_ms": {"sim-writer": 200.0, "sim-verifier-a": 200.0, "sim-verifier-b": 200.0},
    "faults": {"sim-solver": {"at_once": 4, "busy": "queue", "first_token_ms": 4000}},
}
"""A solution a second, until all has happened: the work outlasts it, and every service has some."""
PLAN = Plan(
    name="chaos",
    rows=64,
    subjects={"mathematics": Subject(weight=2, topics=6), "physics": Subject(topics=4)},
    in_progress=12,
    solving=Solving(retries=1),
    variants=200,
)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What two factories with the same plan and the same dice left."""

    restarted: Remains
    """Every service was restarted in turn; at the end every record was delivered once more."""
    scaled: Remains
    """Replicas came and went, and two processes were stopped beyond their session."""
    calls_before_redelivery: int
    rows_before_redelivery: list[dict[str, object]]


@pytest.fixture(scope="module")
async def aftermath(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aftermath]:
    async with AsyncExitStack() as running:
        lines = []
        for name in ("restarted", "scaled"):
            factory = f"{name}-{uuid4().hex[:8]}"
            await provision(KafkaAccess(stack.bootstrap), factory)
            folder = tmp_path_factory.mktemp(name)
            world = await running.enter_async_context(KafkaWorld(stack.bootstrap, stack.valkey_url, factory, folder))
            short: dict[str, Any] = {"session_s": SESSION_S, "lease_s": LEASE_S} if name == "scaled" else {}
            lines.append(Line(stack, world, PLAN, SEED, SLOW, **short))
        first, second = lines

        async def live(line: Line, happening: Callable[[Line], Awaitable[None]]) -> None:
            await running.enter_async_context(line)
            await happening(line)

        await asyncio.gather(live(first, restart_every_service), live(second, scale_and_stop))
        before = await first.remains()
        await deliver_everything_again(first.world)
        await asyncio.gather(first.rest(), second.rest())
        yield Aftermath(await first.remains(), await second.remains(), len(before.calls), before.rows)


async def restart_every_service(line: Line) -> None:
    """Restart one after the other while the factory works."""
    await line.grown(0.05)
    for service in SERVICES:
        line.signal(service.name, signal.SIGTERM)
        await asyncio.sleep(0.5)
    assert await line.lacking(), "it was done before all were restarted"
    await line.inject({})
    await line.grown()
    assert line.restarted().keys() == {service.name for service in SERVICES}


async def scale_and_stop(line: Line) -> None:
    """Scale a service up, down to nothing and up again; freeze one process of two, and the one that plans."""
    await line.grown(0.05)
    await asyncio.gather(line.scale("verifier-b", 2), line.scale("synthesis", 3))
    for frozen in ("verifier-b", "planner"):
        line.signal(frozen, signal.SIGSTOP)
    await line.scale("synthesis", 1)
    await line.scale("synthesis", 0)
    assert await line.lacking(), "it was done before all had happened"
    await asyncio.sleep(1.5 * SESSION_S)
    for frozen in ("verifier-b", "planner"):
        line.signal(frozen, signal.SIGCONT)
    await line.scale("synthesis", 1)
    await line.inject({})
    await line.grown()


async def deliver_everything_again(world: KafkaWorld) -> None:
    """Copy every record of every Kafka topic to its end, and wait until all of them have been read."""
    for flow in FLOW:
        topic = kafka_topic(world.factory, flow.name)
        acks = [
            await world.raw.send(topic, r.value, r.key, partition=r.partition, headers=list(r.headers))
            for r in await world.records(flow.name)
        ]
        await asyncio.gather(*acks)

    async def all_read() -> bool:
        return not any((await lag(world)).values())

    await until(all_read, "everything read for the second time")
