"""Measures the four-stage job: 500 problems, each written, verified twice and solved, 32 in flight per model.

The plainest asyncio program does the same calls without a log, in turn with the factory, in one run.
A run is measured from the first request to the last curated row, in the dataset; its floor is the time of the solver.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.console import Console

from schemas.config.policies import Audits, Verification
from schemas.events import ProblemRequested
from schemas.identity import factory_id
from schemas.item import Topic
from services.cli.common import run_config
from services.cli.common.options import plan_file
from shared.kafka.clients import Producer
from shared.kafka.codec import encode
from tests.bench.flow.factory import FACTORY, cpu_s, factory
from tests.bench.flow.programs import processes_table, programs_table
from tests.bench.models import BODY, server
from tests.support.kafka_world import until

IN_FLIGHT = 32
SHORT_S, LONG_S = 0.1, 0.5
"""Time of writing and of verifying, and of solving."""
SHORT_MS = 1000 * SHORT_S
LATENCY_MS = {
    "sim-writer": SHORT_MS,
    "sim-verifier-a": SHORT_MS / 2,  # a verifier calls twice: it solves, then judges
    "sim-verifier-b": SHORT_MS / 2,
    "sim-solver": 1000 * LONG_S,
}
SERVICES = (
    "problem_writer", "screening", "verifier-a", "verifier-b", "panel", "probe", "synthesis", "answer_checker",
    "aggregator",
)  # fmt: skip
CAPABLE = dict.fromkeys([*LATENCY_MS, "sim-judge"], 50)
NO_ERRORS = {"WRONG_KEYS": "0", "MALFORMED": "0", "ABILITIES": json.dumps(CAPABLE), "LARGE_BANK": "true"}
TOPIC = Topic(subject="mathematics", field="algebra", subfield="group theory", name="finite groups")


async def measure(problems: int, rounds: int) -> dict[str, Any]:
    """Run both programs in turn; return each run."""
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        runs += [await run_plain(problems), await run_factory(problems)]
    return {**floor(problems), "runs": runs}


def floor(problems: int) -> dict[str, Any]:
    """Return the size of the job, and its shortest time."""
    return {"problems": problems, "floor_s": problems * LONG_S / IN_FLIGHT + 2 * SHORT_S}


async def run_plain(problems: int) -> dict[str, Any]:
    """Do the calls in one process, without a log."""
    async with AsyncExitStack() as stack:
        short, long = [
            await stack.enter_async_context(server("--latency-s", str(seconds))) for seconds in (SHORT_S, LONG_S)
        ]
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        def model(url: str) -> Callable[[], Awaitable[None]]:
            slots = asyncio.Semaphore(IN_FLIGHT)

            async def call() -> None:
                async with slots, http.post(f"{url}/v1/chat/completions", json=BODY) as response:
                    assert (await response.json())["choices"]

            return call

        write, verify_a, verify_b, solve = model(short), model(short), model(short), model(long)

        async def problem() -> None:
            await write()
            await asyncio.gather(verify_a(), verify_b())
            await solve()

        before, began = _own_cpu_s(), time.perf_counter()
        await asyncio.gather(*(problem() for _ in range(problems)))
        seconds, after = time.perf_counter() - began, _own_cpu_s()
    spent = {name: 1000 * (after[name] - before[name]) / problems for name in before}
    return {"program": "asyncio", "rows": problems, "seconds": seconds, "first_row_s": None, "cpu_ms_per_row": spent}


def _own_cpu_s() -> dict[str, float]:
    process = psutil.Process()
    times = {"program": process.cpu_times(), **{f"endpoint {p.pid}": p.cpu_times() for p in process.children()}}
    return {name: spent.user + spent.system for name, spent in times.items()}


async def run_factory(problems: int) -> dict[str, Any]:
    """Put all requests on the log together. Seconds are by timestamps of the log."""
    plan = run_config.load(plan_file(None), problems).model_copy(
        update={"audits": Audits(rate=0), "verification": Verification()}
    )
    with tempfile.TemporaryDirectory() as folder:
        async with factory(
            Path(folder) / "stack", plan, LATENCY_MS, SERVICES, NO_ERRORS, max_concurrency=IN_FLIGHT
        ) as (stack, world):
            producer = Producer(world.access, FACTORY)
            await producer.start()
            parent = TOPIC.id(factory_id(FACTORY))
            before = cpu_s(stack)
            await producer.publish(
                encode(
                    ProblemRequested.root(parent, "planner", n, plan=plan.name, topic=TOPIC, answer_type="number"),
                    f"{FACTORY}/bench",
                )
                for n in range(problems)
            )

            async def done() -> bool:
                ends = [await world.ends(name) for name in ("sample.curated", "problem.rejected")]
                return sum(sum(end.values()) for end in ends) >= problems

            await until(done, f"{problems} ends", within_s=problems / 4 + 60, every_s=0.5)
            after = cpu_s(stack)
            await producer.stop()
            requested = min(record.timestamp for record in await world.records("problem.requested"))
            stamps = [record.timestamp for record in await world.records("sample.curated")]
    return {
        "program": "chimera",
        "rows": len(stamps),
        "seconds": (max(stamps) - requested) / 1000,
        "first_row_s": (min(stamps) - requested) / 1000,
        "cpu_ms_per_row": {name: 1000 * (after[name] - before[name]) / len(stamps) for name in before},
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print medians and spread of each program, and what a row costs each process of the factory."""
    console.print(programs_table(f"four stages, {figures['problems']} problems", figures))
    console.print(processes_table([run for run in figures["runs"] if run["program"] == "chimera"]))
