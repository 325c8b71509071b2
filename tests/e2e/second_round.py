"""Problems of which most keys need a second round, and what must hold once the panel has decided on each."""

from collections import defaultdict
from typing import Any

from schemas.config.plan import Plan, Subject
from schemas.config.policies import Verification
from schemas.events import ProblemRequested, ProblemScreened
from schemas.flow import GIVERS, SERVICE
from schemas.identity import factory_id
from schemas.item import Problem, Provenance, Topic
from services.simulator.bank import Bank
from tests.support.kafka_world import KafkaWorld

SEED, PROBLEMS = 41, 18
STEPS = ("problem.verified", "evidence.requested", "evidence.given")
ENDS = ("problem.probed", "problem.rejected")
SERVICES = ("panel", *GIVERS)
OTHERS = tuple(name for name in SERVICE if name not in SERVICES)
PLAN = Plan(
    name="second-round",
    rows=64,
    subjects={"mathematics": Subject()},
    verification=Verification(target_wrong={"sft": 0.02}, max_votes=16, adjudications=4),
)
QUEUE = {"at_once": 1, "busy": "queue", "first_token_ms": 250}
WEAK: dict[str, dict[str, Any]] = {
    "abilities": {"sim-verifier-a": 0.4, "sim-verifier-b": 0.0},
    "faults": {"sim-verifier-a": QUEUE, "sim-verifier-b": QUEUE, "sim-adjudicator": QUEUE},
}
"""Verifiers that often miss, and give one answer after the other: the work outlasts what is done to them."""


def screened(world: KafkaWorld) -> list[ProblemScreened]:
    """Problems of the bank, each third with a wrong key."""
    topic, events = Topic(subject="mathematics", field="f", subfield="s", name="t"), []
    for number, of in enumerate(Bank(SEED).problems("mathematics")[:PROBLEMS]):
        about: dict[str, Any] = {"plan": PLAN.name, "topic": topic, "answer_type": of.answer_type}
        request = ProblemRequested.root(topic.id(factory_id(world.factory)), "planner", number, **about)
        key = of.answer if number % 3 else of.slips[0]
        problem = Problem(statement=of.text, answer=key, answer_type=of.answer_type, rationale="")
        events.append(ProblemScreened.of(request, "screening", request.item.with_(problem=problem)))
    return events


async def count(world: KafkaWorld, *names: str) -> int:
    """Records on some Kafka topics."""
    return sum([sum((await world.ends(name)).values()) for name in names])


async def all_decided(world: KafkaWorld) -> bool:
    """Whether each problem has a decision on the log."""
    return len({event.item.id for name in ENDS for event in await world.events(name)}) == PROBLEMS


async def check_each_was_decided_once(world: KafkaWorld) -> None:
    """Every request has one answer, every problem one end, every id one content; nothing is parked."""
    contents = defaultdict[bytes, set[bytes]](set)
    for name in (*STEPS, *ENDS):
        for record in await world.records(name):
            contents[dict(record.headers)["ce_id"]].add(record.value)
    assert [id_ for id_, values in contents.items() if len(values) > 1] == [], "two contents under one id"
    assert await world.records("dead-letters") == []
    ends = {event.id: event.item.id for name in ENDS for event in await world.events(name)}
    assert len(ends) == len(set(ends.values())) == PROBLEMS, "decided twice, or never"
    requested = {event.id: event.kind for event in await world.events("evidence.requested")}
    assert {event.cause.parent for event in await world.events("evidence.given")} == requested.keys()
    assert {*requested.values()} >= {"vote", "adjudication"}
    first = {event.id for event in await world.events("problem.verified")}
    assert len(first) == 2 * PROBLEMS


async def recorded_calls(world: KafkaWorld) -> dict[str, tuple[Provenance, ...]]:
    """Model calls by the event of the first round or of later evidence that was made with them."""
    events = [event for name in ("problem.verified", "evidence.given") for event in await world.events(name)]
    return {str(event.id): event.item.lineage[-1].calls for event in events}
