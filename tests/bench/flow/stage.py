"""Measures the overhead of one stage: consume → call → produce → commit, 64 in flight, 50 ms a call, short answers."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.local.supervisor import Stack
from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.events import Event, ProblemProbed
from services.synthesis.handler import SynthesizeSolution
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.llm import Models
from shared.runtime.stateless import StatelessLoop
from tests.bench.flow.slots import probed
from tests.bench.models import PROMPT, server
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
LATENCY_S = 0.05
FACTORY = "bench"


async def measure(calls: int) -> dict[str, Any]:
    """Return figures of one process; CPU covers model, Kafka and Valkey clients and the runtime."""
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder)) as stack, server("--latency-s", str(LATENCY_S)) as url:
            await stack.start_infrastructure()
            await provision(KafkaAccess(stack.bootstrap), FACTORY)
            async with KafkaWorld(stack.bootstrap, stack.valkey_url, FACTORY, Path(folder)) as world:
                await world.publish(probed(world, calls))
                return await _run(world, url, calls)


async def _run(world: KafkaWorld, url: str, calls: int) -> dict[str, Any]:
    models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1", at_once=IN_FLIGHT), "m"), "synthesis")
    solve = SynthesizeSolution(models.model("solver", PROMPT))
    settings = world.settings("synthesis", in_flight=IN_FLIGHT)
    begun: list[tuple[float, float]] = []

    async def handle(event: ProblemProbed) -> Iterable[Event]:
        if not begun:
            begun.append((time.perf_counter(), time.process_time()))
        return await solve(event)

    async def committed() -> bool:
        return sum((await world.committed("synthesis", "problem.probed")).values()) == calls

    try:
        async with world.running(lambda producer: StatelessLoop(handle, settings, producer, world.outcomes(settings))):
            await until(committed, "the commit of all", within_s=120, every_s=0.1)
            ((clock, cpu),) = begun
            seconds, spent = time.perf_counter() - clock, time.process_time() - cpu
    finally:
        await models.aclose()
    return {
        "calls": calls,
        "seconds": seconds,
        "rows_per_s": calls / seconds,
        "ideal_per_s": IN_FLIGHT / LATENCY_S,
        "cpu_ms_per_row": 1000 * spent / calls,
    }
