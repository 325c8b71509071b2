"""Measures the slots of synthesis, one process with 64 calls in flight: short answers, and long ones in small chunks.

Steady is the time without the first calls, by which the limit of the endpoint grows, and without the last ones.
"""

import tempfile
from pathlib import Path
from typing import Any

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
from tests.bench.models import server
from tests.support.fake_endpoint import CHUNK_S
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
SHORT_S = 0.2
LONG_S, LONG_BYTES = 10.0, 300_000
LONG_CALLS = 8 * IN_FLIGHT


async def measure(calls: int) -> list[dict[str, Any]]:
    """Solve `calls` problems with short answers, then some with long ones."""
    return [
        await _measure(f"{SHORT_S} s", calls, SHORT_S),
        await _measure(f"300 kB, {1000 * CHUNK_S:.0f} ms a chunk", LONG_CALLS, LONG_S, LONG_BYTES),
    ]


async def _measure(answers: str, calls: int, latency_s: float, answer_bytes: int = 0) -> dict[str, Any]:
    """Time is by timestamps of the log; CPU and memory are those of the process of synthesis."""
    plan = run_config.load(plan_file(None), 1)
    options = ("--latency-s", str(latency_s), "--answer-bytes", str(answer_bytes))
    with tempfile.TemporaryDirectory() as folder:
        async with server(*options) as url:
            models = ModelsConfig.one(Endpoint(base_url=f"{url}/v1", max_concurrency=IN_FLIGHT), "m")
            async with factory(Path(folder) / "stack", plan, {}, ["synthesis"], models=models) as (stack, world):
                spent, memory = cpu_s(stack)["synthesis"], [_rss(stack)]
                await world.publish(probed(world, calls))

                async def solved() -> bool:
                    memory.append(_rss(stack))
                    return sum((await world.ends("solution.synthesized")).values()) == calls

                await until(solved, f"{calls} solutions", within_s=300, every_s=0.5)
                spent = cpu_s(stack)["synthesis"] - spent
                stamps = sorted(record.timestamp / 1000 for record in await world.records("solution.synthesized"))
    whole = stamps[-1] - stamps[0] + latency_s
    begin, end = stamps[2 * IN_FLIGHT] + latency_s / 2, stamps[-1] - latency_s / 2
    steady = sum(begin <= stamp < end for stamp in stamps) * latency_s / (IN_FLIGHT * (end - begin))
    return {
        "answers": answers,
        "calls": calls,
        "seconds": whole,
        "slots_busy": calls * latency_s / (IN_FLIGHT * whole),
        "slots_busy_steady": steady,
        "cpu_ms_per_answer": 1000 * spent / calls,
        "cores": spent / whole,
        "memory_mb_per_answer_in_flight": (max(memory) - memory[0]) / 1e6 / IN_FLIGHT,
    }


def _rss(stack: Stack) -> int:
    (pid,) = (one.id.pid for one in stack.processes() if one.name == "synthesis")
    return int(psutil.Process(pid).memory_info().rss)


def probed(world: KafkaWorld, calls: int) -> list[ProblemProbed]:
    """Return `calls` problems of the simulator's bank."""
    problems = Bank(0).problems("mathematics")
    found = []
    for request, drawn in zip(world.requests(calls), problems, strict=False):
        problem = Problem(statement=drawn.text, answer=drawn.answer, answer_type=drawn.answer_type, rationale="")
        found.append(ProblemProbed.of(request, "probe", request.item.with_(problem=problem)))
    return found


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print a line for each kind of answers."""
    table = Table(
        "answers", "calls", "seconds", "slots busy, steady", "whole run", "CPU-ms an answer", "cores",
        "MB an answer in flight", title=f"synthesis, one process, {IN_FLIGHT} in flight",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row["answers"],
            str(row["calls"]),
            f"{row['seconds']:.1f}",
            f"{row['slots_busy_steady']:.1%}",
            f"{row['slots_busy']:.1%}",
            f"{row['cpu_ms_per_answer']:.2f}",
            f"{row['cores']:.2f}",
            f"{row['memory_mb_per_answer_in_flight']:.2f}",
        )
    console.print(table)
