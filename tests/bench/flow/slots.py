"""Measures the slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call."""

import tempfile
from pathlib import Path
from typing import Any

from schemas.events import ProblemProbed
from schemas.item import Problem
from services.cli.common import run_config
from services.cli.common.options import plan_file
from services.simulator.bank import Bank
from tests.bench.flow.factory import factory
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
LATENCY_S = 0.2


async def measure(calls: int) -> dict[str, Any]:
    """Solve `calls` problems; `slots_busy` is the share of slot-seconds with a call.

    Seconds are by timestamps of the log: first to last solution, plus one latency.
    """
    plan = run_config.load(plan_file(None), 1)
    latency = {"sim-solver": int(1000 * LATENCY_S)}
    with tempfile.TemporaryDirectory() as folder:
        async with factory(Path(folder) / "stack", plan, latency, only=["synthesis"]) as (_, world):
            await world.publish(probed(world, calls))

            async def solved() -> bool:
                return len(await world.records("solution.synthesized")) == calls

            await until(solved, f"{calls} solutions", within_s=120, every_s=1.0)
            stamps = [record.timestamp for record in await world.records("solution.synthesized")]
    seconds = (max(stamps) - min(stamps)) / 1000 + LATENCY_S
    return {"calls": calls, "seconds": seconds, "slots_busy": calls * LATENCY_S / (IN_FLIGHT * seconds)}


def probed(world: KafkaWorld, calls: int) -> list[ProblemProbed]:
    """Return `calls` problems of the simulator's bank."""
    problems = Bank(0).problems("mathematics")
    found = []
    for request, drawn in zip(world.requests(calls), problems, strict=False):
        problem = Problem(statement=drawn.text, answer=drawn.answer, answer_type=drawn.answer_type, rationale="")
        found.append(ProblemProbed.of(request, "probe", request.item.with_(problem=problem)))
    return found
