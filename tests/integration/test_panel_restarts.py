"""The panel through restarts: Faust drops what it fetched around a rebalance, and not a verdict may be lost by it."""

import asyncio
import random
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

from schemas.events import ProblemScreened, ProblemVerified
from schemas.item import Judgement, Problem, Verdict, Vote
from services.planner import plans
from tests.support.kafka_world import KafkaWorld, until

PROBLEMS = 300
PAUSE_S = 0.03
GOOD = Judgement(
    well_posed=True, self_contained=True, unique_answer=True, correct=True, on_topic=True, hard_enough=True,
    open_problem=False, reason="fine",
)  # fmt: skip


def verdicts(world: KafkaWorld, number: int) -> list[ProblemVerified]:
    problem = Problem(statement="one?", answer="8128", answer_type="number", rationale="")
    found = []
    for request in world.requests(number):
        screened = ProblemScreened.of(request, "screening", request.item.with_(problem=problem))
        for role in ("verifier-a", "verifier-b"):
            vote = Vote(answer="8128", agrees="yes", method="test")
            verdict = Verdict(role=role, model=role, problem_hash=problem.hash, votes=(vote,), judgement=GOOD)
            found.append(ProblemVerified.of(screened, role, screened.item, verdict=verdict))
    return found


async def panel(world: KafkaWorld) -> Process:
    plan = Path(plans.__path__[0]) / "demo.yaml"
    env = world.env("panel", plan=plan)
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "services.panel", env=env)


async def test_every_problem_is_decided_while_panels_are_scaled(world: KafkaWorld) -> None:
    dice = random.Random(5)
    events = verdicts(world, PROBLEMS)
    dice.shuffle(events)

    async def flow() -> None:
        for event in events:
            await world.publish([event])
            await asyncio.sleep(PAUSE_S)

    flowing = asyncio.create_task(flow())
    old = await panel(world)
    while not flowing.done():
        new = await panel(world)
        await asyncio.sleep(dice.uniform(1.0, 4.0))
        old.send_signal(dice.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGKILL]))
        await old.wait()
        old = new

    async def all_decided() -> bool:
        return len({event.item.id for event in await world.events("problem.accepted")}) == PROBLEMS

    try:
        await until(all_decided, "a decision on every problem", within_s=60)
    finally:
        old.terminate()
        await old.wait()
    output = {(event.item.id, event.model_dump_json()) for event in await world.events("problem.accepted")}
    assert len(output) == PROBLEMS, "two decisions on one problem"
    assert sum((await world.committed("panel", "problem.verified")).values()) == len(events)
