"""The panel through restarts: Faust drops what it fetched around a rebalance, and no evidence may be lost by it."""

import asyncio
import random
import signal
import sys
from asyncio.subprocess import Process
from uuid import UUID

from schemas.events import EvidenceGiven, EvidenceRequested, ProblemScreened, ProblemVerified
from schemas.item import Adjudication, Judgement, Problem, Verdict, Vote
from tests.support.kafka_world import KafkaWorld, until
from tests.support.planning import demo_with_probe

PROBLEMS = 300
UNDECIDED = 10
"""One of this many problems needs more evidence than the first round."""
PAUSE_S = 0.03
HIT = Vote(answer="8128", agrees="yes", method="test")
GOOD = Judgement(
    well_posed=True, self_contained=True, unique_answer=True, correct=True, on_topic=True, hard_enough=True,
    open_problem=False, reason="fine",
)  # fmt: skip


def verdicts(world: KafkaWorld, number: int) -> list[ProblemVerified]:
    problem = Problem(statement="one?", answer="8128", answer_type="number", rationale="")
    found = []
    for index, request in enumerate(world.requests(number)):
        screened = ProblemScreened.of(request, "screening", request.item.with_(problem=problem))
        for role in ("verifier-a", "verifier-b"):
            vote = HIT if index % UNDECIDED else Vote(answer=f"7{role[-1]}", agrees="no", method="test")
            verdict = Verdict(role=role, model=role, problem_hash=problem.hash, votes=(vote,), judgement=GOOD)
            found.append(ProblemVerified.of(screened, role, screened.item, verdict=verdict))
    return found


def answer(request: EvidenceRequested) -> EvidenceGiven:
    """A hit, or the choice of the key."""
    if request.kind == "vote":
        return EvidenceGiven.answer(request, vote=HIT)
    about = {"rival": request.candidates[0], "chosen": "key", "key_first": True}
    return EvidenceGiven.answer(request, (), Adjudication.model_validate({"role": "third", "model": "third", **about}))


async def give_evidence(world: KafkaWorld) -> None:
    """Answer each request once."""
    answered = set[UUID]()
    while True:
        for request in await world.events("evidence.requested"):
            if isinstance(request, EvidenceRequested) and request.id not in answered:
                answered.add(request.id)
                await world.publish([answer(request)])
        await asyncio.sleep(10 * PAUSE_S)


async def panel(world: KafkaWorld) -> Process:
    plan = demo_with_probe(world.folder)
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

    flowing, giving = asyncio.create_task(flow()), asyncio.create_task(give_evidence(world))
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
        await until(all_decided, "a decision on every problem")
    finally:
        giving.cancel()
        old.terminate()
        await old.wait()
    output = {(event.item.id, event.model_dump_json()) for event in await world.events("problem.accepted")}
    assert len(output) == PROBLEMS, "two decisions on one problem"
    assert sum((await world.committed("panel", "problem.verified")).values()) == len(events)
    given = await world.events("evidence.given")
    assert len({event.item.id for event in given}) == PROBLEMS / UNDECIDED
    assert sum((await world.committed("panel", "evidence.given")).values()) == len(given)
