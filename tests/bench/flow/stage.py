"""Measures one stage: consume → call → produce → commit, 64 in flight, 50 ms a call, short answers.

The plainest asyncio program makes the same calls without a log, in turn with the stage, in one run.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from deploy.local.supervisor import Stack
from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.events import Event, ProblemProbed
from services.synthesis.handler import SynthesizeSolution
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.llm import Models
from shared.runtime.stateless import StatelessLoop
from tests.bench.flow.programs import programs_table
from tests.bench.flow.slots import probed
from tests.bench.models import BODY, PROMPT, server
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
LATENCY_S = 0.05
FACTORY = "bench"


async def measure(calls: int, rounds: int) -> dict[str, Any]:
    """Run both programs in turn; return each run. CPU is that of one process, without the endpoint."""
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        runs += [await _plain(calls), await _stage(calls)]
    return {"calls": calls, "floor_s": calls * LATENCY_S / IN_FLIGHT, "runs": runs}


async def _plain(calls: int) -> dict[str, Any]:
    async with (
        server("--latency-s", str(LATENCY_S)) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        left = iter(range(calls))

        async def worker() -> None:
            for _ in left:
                async with http.post(f"{url}/v1/chat/completions", json=BODY) as response:
                    assert (await response.json())["choices"]

        clock, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        return _figures("asyncio", calls, time.perf_counter() - clock, time.process_time() - cpu)


def _figures(program: str, calls: int, seconds: float, cpu_s: float) -> dict[str, Any]:
    spent = {"process": 1000 * cpu_s / calls}
    return {"program": program, "rows": calls, "seconds": seconds, "first_row_s": None, "cpu_ms_per_row": spent}


async def _stage(calls: int) -> dict[str, Any]:
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
    return _figures("chimera", calls, seconds, spent)


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print medians and spread of both programs."""
    console.print(programs_table(f"one stage, {figures['calls']} calls, {IN_FLIGHT} in flight", figures))
