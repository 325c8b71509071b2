"""How busy one stage keeps the model: synthesis, 64 in flight, 200 ms a call."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from schemas.events import ProblemProbed
from schemas.item import Problem
from services.cli.common import run_config
from services.cli.common.options import demo
from services.simulator.bank import Bank
from tests.bench.factory import factory
from tests.support.kafka_world import KafkaWorld, until

IN_FLIGHT = 64
LATENCY_S = 0.2


@dataclass(frozen=True, slots=True)
class Slots:
    """Figures of one run; `busy` is the share of slots that a call was in, between 0 and 1."""

    calls: int
    seconds: float

    @property
    def busy(self) -> float:
        return self.calls * LATENCY_S / (IN_FLIGHT * self.seconds)


async def measure(calls: int) -> Slots:
    """Solve `calls` problems. The time is that of the log: from the first solution to the last, and one latency."""
    plan = run_config.plan(demo(), 1)
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
    """So many problems to be solved, of the simulator's bank."""
    problems = Bank(0).problems("mathematics")
    found = []
    for request, drawn in zip(world.requests(calls), problems, strict=False):
        problem = Problem(statement=drawn.text, answer=drawn.answer, answer_type=drawn.answer_type, rationale="")
        found.append(ProblemProbed.of(request, "probe", request.item.with_(problem=problem)))
    return found
