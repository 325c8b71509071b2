"""For the planner's tests: plans, events, and a simulation of all other services without a broker."""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from schemas.config.plan import Plan, Subject
from schemas.config.policies import Difficulty, Releases, Solving, Verification
from schemas.events import (
    Event,
    ProblemParked,
    ProblemRejected,
    ProblemRequested,
    SampleCurated,
    SampleDeleted,
    SubjectRequested,
    TopicExpanded,
)
from schemas.item import Problem, Topic
from services.aggregator.policy import Quotas
from services.planner import plans
from services.planner.handler import Planner
from services.planner.state import State

DIFFICULTIES = (0.0, 0.5, 1.0, 1.0, None)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def demo_with_probe(folder: Path) -> Path:
    """Write the demo plan with a probe."""
    text = (Path(plans.__path__[0]) / "demo.yaml").read_text()
    assert "probe_attempts: 0" in text
    file = folder / "with-probe.yaml"
    file.write_text(text.replace("probe_attempts: 0", "probe_attempts: 1"))
    return file


def a_plan(rows: int = 12, in_progress: int = 8, **subjects: float) -> Plan:
    weights = subjects or {"mathematics": 2.0, "physics": 1.0}
    return Plan(
        name="test",
        rows=rows,
        in_progress=in_progress,
        subjects={name: Subject(weight=weight, topics=3) for name, weight in weights.items()},
        verification=Verification(),
        solving=Solving(),
        releases=Releases(),
    )


def a_topic(subject: str, number: int) -> Topic:
    return Topic(subject=subject, field="field", subfield="subfield", name=f"{subject} {number}")


def expanded(request: SubjectRequested, count: int | None = None) -> TopicExpanded:
    first = len(request.known)
    topics = tuple(a_topic(request.subject, first + n) for n in range(request.wanted if count is None else count))
    return TopicExpanded.after(
        request, "expansion", plan=request.plan, subject=request.subject, wanted=request.wanted, topics=topics
    )


def curated(request: ProblemRequested, admission: str, index: int = 0) -> SampleCurated:
    return SampleCurated.after(
        request,
        "aggregator",
        index,
        sample_id=request.id,
        plan=request.plan,
        subject=request.topic.subject,
        topic=request.topic.name,
        tier="verified",
        correct=True,
        views=("sft", "rl"),
        admission=admission,
        row_hash="",
    )


def rejected(request: ProblemRequested, reason: str) -> ProblemRejected:
    return ProblemRejected.of(request, "panel", request.item, reason=reason, detail="")


def parked(request: ProblemRequested) -> ProblemParked:
    return ProblemParked.after(request, "panel", problem_id=request.id, service="panel", error="E", message="")


def deleted(request: ProblemRequested, admission: str) -> SampleDeleted:
    return SampleDeleted.root(
        request.id,
        "cli",
        sample_id=request.id,
        subject=request.topic.subject,
        admission=admission,
        decision="",
        row_hash="",
    )


def with_limits(plan: Plan, at_most: dict[str, float]) -> Plan:
    changes = {"solving": Solving(probe_attempts=4), "difficulty": Difficulty(at_most=at_most)}
    return plan.model_copy(update=changes)


def too_easy(request: ProblemRequested, service: str = "probe") -> ProblemRejected:
    problem = Problem(statement=f"Easy {request.id}?", answer="4", answer_type="set", rationale="")
    easy = request.item.with_(problem=problem)
    return ProblemRejected.of(request, service, easy, reason="too_easy", detail="")


def started(plan: Plan) -> tuple[Planner, State, list[ProblemRequested]]:
    planner = Planner(plan, "test")
    state, events = planner.start(None, NOW)
    requests: list[ProblemRequested] = []
    for event in events:
        if isinstance(event, SubjectRequested):
            state, requested = planner(state, expanded(event), NOW)
            requests += [request for request in requested if isinstance(request, ProblemRequested)]
    return planner, state, requests


def closed(state: State, why: str) -> list[str]:
    return [one.topic.name for subject in state.subjects.values() for one in subject.topics if one.closed == why]


class Factory:
    """Simulates the other services: expands topics, ends problems at random, admits rows within the quotas."""

    def __init__(self, plan: Plan, seed: int, good: float) -> None:
        self.dice = random.Random(seed)
        self.good = good
        self.planner = Planner(plan, "test")
        self.state: State | None = None
        self.published: dict[UUID, Event] = {}
        self.quotas = Quotas(plan, {}, {})
        self.difficulties: Counter[float | None] = Counter()
        """Difficulties of the admitted rows."""
        self.waiting: list[tuple[ProblemRequested, float | None]] = []
        self.inbox: list[Event] = []
        self.open: list[ProblemRequested] = []
        self.delivered: list[Event] = []
        self.outcomes: Counter[str] = Counter()

    def publish(self, events: tuple[Event, ...] | list[Event]) -> None:
        for event in events:
            first = self.published.setdefault(event.id, event)
            assert first == event, "one id, two contents"
            if first is event and isinstance(event, ProblemRequested):
                self.open.append(event)
            elif first is event and isinstance(event, SubjectRequested):
                self.inbox.append(expanded(event))

    def start(self) -> None:
        self.state, events = self.planner.start(self.state, NOW)
        self.publish(list(events))
        self.promote()

    def promote(self) -> None:
        """Admit rows from the reserve first, as the aggregator does at its start."""
        self.quotas = Quotas(self.planner.plan, self.quotas.admitted, self.difficulties)
        waiting, self.waiting = self.waiting, []
        for request, difficulty in waiting:
            if self.admit(request, difficulty) == "in":
                self.inbox.append(curated(request, "in", 1))

    def admit(self, request: ProblemRequested, difficulty: float | None) -> str:
        admission = self.quotas.admit(request.topic.subject, ("sft",), difficulty)
        if admission == "in":
            self.difficulties[difficulty] += 1
        else:
            self.waiting.append((request, difficulty))
        return admission

    def end(self, request: ProblemRequested) -> Event:
        if self.dice.random() > self.good:
            self.outcomes["rejected"] += 1
            return rejected(request, self.dice.choice(("unsolved", "too_easy", "malformed")))
        self.outcomes["rows"] += 1
        return curated(request, self.admit(request, self.dice.choice(DIFFICULTIES)))

    def step(self) -> bool:
        """Deliver one event, sometimes repeated, sometimes after a crash. Return False when nothing is left."""
        assert self.state is not None
        assert len(self.state.in_flight) <= self.planner.plan.in_progress
        if self.open and (not self.inbox or self.dice.random() < 0.5):
            self.inbox.append(self.end(self.open.pop(self.dice.randrange(len(self.open)))))
        if not self.inbox:
            return False
        event = self.inbox.pop(self.dice.randrange(len(self.inbox)))
        if self.delivered and self.dice.random() < 0.2:
            self.handle(self.dice.choice(self.delivered))
        snapshot = self.state
        events = self.handle(event)
        if self.dice.random() < 0.1:  # killed before the snapshot was written, then handled again
            lost, self.state = self.state, State.model_validate_json(snapshot.model_dump_json())
            again = self.handle(event)
            assert (self.state, list(again)) == (lost, list(events))
        self.delivered.append(event)
        if self.dice.random() < 0.1:
            self.state = State.model_validate_json(self.state.model_dump_json())
            self.start()
        return True

    def handle(self, event: Event) -> list[Event]:
        assert self.state is not None
        self.state, events = self.planner(self.state, event, NOW)
        self.publish(list(events))
        return list(events)

    def run(self) -> State:
        self.start()
        for _ in range(100_000):
            if not self.step():
                break
        else:
            pytest.fail("does not end")
        assert self.state is not None
        return self.state


def snapshot(factory: Factory) -> State:
    assert factory.state is not None
    return factory.state
