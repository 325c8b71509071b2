"""Measures the slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from schemas.events import ProblemProbed
from schemas.item import Problem
from services.cli.common import run_config
from services.cli.common.options import plan_file
from services.simulator.bank import Bank
from tests.bench.factory import factory
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
LATENCY_S = 0.2


@dataclass(frozen=True, slots=True)
class Slots:
    """Figures of one run; `busy` is the fraction of slot-seconds with a call, from 0 to 1."""

    calls: int
    seconds: float

    @property
    def busy(self) -> float:
        return self.calls * LATENCY_S / (IN_FLIGHT * self.seconds)


async def measure(calls: int) -> Slots:
    """Solve `calls` problems. Seconds are by timestamps of the log: first to last solution, plus one latency."""
    plan = run_config.load(plan_file(None), 1)
    latency = {"sim-solver": int(1000 * LATENCY_S)}
    with tempfile.TemporaryDirectory() as folder:
        async with factory(Path(folder) / "stack", plan, latency, only=["synthesis"]) as (_, world):
            await world.publish(probed(world, calls))

            async def solved() -> bool:
                return len(await world.records("solution.synthesized")) == calls

            await until(solved, f"{calls} solutions", within_s=120, every_s=1.0)
            stamps = [record.timestamp for record in await world.records("solution.synthesized")]
    return Slots(calls, (max(stamps) - min(stamps)) / 1000 + LATENCY_S)


def probed(world: KafkaWorld, calls: int) -> list[ProblemProbed]:
    """Return `calls` problems of the simulator's bank."""
    problems = Bank(0).problems("mathematics")
    found = []
    for request, drawn in zip(world.requests(calls), problems, strict=False):
        problem = Problem(statement=drawn.text, answer=drawn.answer, answer_type=drawn.answer_type, rationale="")
        found.append(ProblemProbed.of(request, "probe", request.item.with_(problem=problem)))
    return found
