"""Measures the slots of synthesis, one process with 64 calls in flight: short answers, and long ones in small chunks.

The plainest asyncio program makes the same calls before it. A slot is busy while a call is in flight, by the caller's
clock. Steady is the time without the first calls, by which the limit of the endpoint grows, and without the last ones.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from deploy.local.supervisor import Stack
from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.events import ProblemProbed
from schemas.item import Problem
from services.cli.common import run_config
from services.cli.common.options import plan_file
from services.simulator.bank import Bank
from tests.bench.flow.factory import cpu_s, factory
from tests.bench.models import BODY, server
from tests.support.fake_endpoint import CHUNK_S
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
SHORT_S = 0.2
LONG_S, LONG_BYTES = 10.0, 300_000
LONG_CALLS = 6 * IN_FLIGHT

Call = tuple[float, float]
"""Begin and end, in seconds."""


async def measure(calls: int) -> list[dict[str, Any]]:
    """Make `calls` calls with short answers, then some with long ones."""
    long = f"300 kB, {1000 * CHUNK_S:.0f} ms a chunk"
    rows = []
    for answers, number, latency_s, size in (
        (f"{SHORT_S} s", calls, SHORT_S, 0),
        (long, LONG_CALLS, LONG_S, LONG_BYTES),
    ):
        async with server("--latency-s", str(latency_s), "--answer-bytes", str(size)) as url:
            for program, run in (("asyncio", plain), ("chimera", synthesis)):
                made, figures = await run(f"{url}/v1", number)
                rows.append({"answers": answers, "program": program, **_shares(made, latency_s), **figures})
    return rows


def _shares(calls: Sequence[Call], latency_s: float) -> dict[str, float]:
    """Return the share of slot time with a call in flight, and that of the endpoint's own time."""
    first, last = sorted(end for _, end in calls)[2 * IN_FLIGHT], max(begin for begin, _ in calls)
    slot_s = IN_FLIGHT * (last - first)
    steady = [(max(0.0, min(end, last) - max(begin, first)), end - begin) for begin, end in calls]
    return {
        "calls": len(calls),
        "slots_busy_steady": sum(within for within, _ in steady) / slot_s,
        "endpoint_busy_steady": sum(within * latency_s / whole for within, whole in steady) / slot_s,
    }


async def plain(url: str, number: int) -> tuple[list[Call], dict[str, Any]]:
    """CPU is that of this process."""
    made: list[Call] = []
    left = iter(range(number))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def worker() -> None:
            for _ in left:
                begin = time.time()
                async with http.post(f"{url}/chat/completions", json={**BODY, "stream": True}) as response:
                    async for _ in response.content.iter_any():
                        pass
                made.append((begin, time.time()))

        clock, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        seconds, spent = time.perf_counter() - clock, time.process_time() - spent
        return made, {"seconds": seconds, "cpu_ms_per_answer": 1000 * spent / number}


async def synthesis(url: str, number: int) -> tuple[list[Call], dict[str, Any]]:
    """CPU and memory are those of the process of synthesis; times of the calls are those on record.

    Seconds are those from the first call to the last record on the log.
    """
    plan = run_config.load(plan_file(None), 1)
    models = ModelsConfig.one(Endpoint(base_url=url, max_concurrency=IN_FLIGHT), "m")
    with tempfile.TemporaryDirectory() as folder:
        async with factory(Path(folder) / "stack", plan, {}, ["synthesis"], models=models) as (stack, world):
            spent, memory = cpu_s(stack)["synthesis"], [_rss(stack)]
            await world.publish(probed(world, number))

            async def solved() -> bool:
                memory.append(_rss(stack))
                return sum((await world.ends("solution.synthesized")).values()) == number

            await until(solved, f"{number} solutions", within_s=300, every_s=0.5)
            spent = cpu_s(stack)["synthesis"] - spent
            records = await world.records("solution.synthesized")
    made = [_call(json.loads(record.value)) for record in records]
    return made, {
        "seconds": max(record.timestamp for record in records) / 1000 - min(begin for begin, _ in made),
        "cpu_ms_per_answer": 1000 * spent / number,
        "memory_mb_per_answer_in_flight": (max(memory) - memory[0]) / 1e6 / IN_FLIGHT,
    }


def _call(event: dict[str, Any]) -> Call:
    made = event["attempt"]["provenance"]
    begin = datetime.fromisoformat(made["started"]).timestamp()
    return begin, begin + made["latency_s"]


def _rss(stack: Stack) -> int:
    (pid,) = (one.id.pid for one in stack.processes() if one.name == "synthesis")
    return int(psutil.Process(pid).memory_info().rss)


def probed(world: KafkaWorld, calls: int) -> list[ProblemProbed]:
    """Return `calls` problems of the simulator's bank."""
    problems = cycle(Bank(0).problems("mathematics"))
    found = []
    for request, drawn in zip(world.requests(calls), problems, strict=False):
        problem = Problem(statement=drawn.text, answer=drawn.answer, answer_type=drawn.answer_type, rationale="")
        found.append(ProblemProbed.of(request, "probe", request.item.with_(problem=problem)))
    return found


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print a line for each kind of answers and each program."""
    table = Table(
        "answers", "program", "calls", "seconds", "slots busy, steady", "endpoint's own time", "CPU-ms an answer",
        "MB an answer in flight", title=f"one process, {IN_FLIGHT} in flight",
    )  # fmt: skip
    for row in rows:
        memory = row.get("memory_mb_per_answer_in_flight")
        table.add_row(
            row["answers"],
            row["program"],
            str(row["calls"]),
            f"{row['seconds']:.1f}",
            f"{row['slots_busy_steady']:.1%}",
            f"{row['endpoint_busy_steady']:.1%}",
            f"{row['cpu_ms_per_answer']:.2f}",
            "" if memory is None else f"{memory:.2f}",
        )
    console.print(table)
