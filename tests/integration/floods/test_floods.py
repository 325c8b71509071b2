"""A service whose last events all failed stops before every event is a dead letter, and resumes by itself."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import pytest
from pydantic import BaseModel

from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.events import Event, ProblemParked, ProblemRequested, ProblemVerified, TopicExpanded
from services.planner.handler import Planner
from services.problem_writer.__main__ import build_handler
from shared.errors import Invalid, OverBudget, Transient
from shared.kafka.clients import Producer
from shared.kafka.faust.loop import FaustLoop
from shared.llm import Models
from shared.ports import Record, StoredOffset
from shared.runtime import flood_guard
from shared.runtime.machine import MachineLoop
from shared.runtime.process import ServiceLoop
from shared.runtime.sink import SinkLoop
from tests.integration.panel.test_panel import verified
from tests.integration.test_machine import expanded
from tests.integration.test_sink import events as rejections
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.kafka_world import KafkaWorld, until
from tests.support.planning import a_plan, a_topic
from tests.support.runtime_writer import committed, draft, writer

LIMIT = 5
IN_FLIGHT = 4
EVENTS = 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood_guard, "FIRST_WAIT_S", 0.02)


class Faulty:
    """A handler, a join, a machine and a sink that raise `error` until it is None."""

    class State(BaseModel):
        pass

    state_type = State

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.done = 0
        self.failed = 0

    def work(self) -> None:
        if self.error:
            self.failed += 1
            raise type(self.error)(*self.error.args)
        self.done += 1

    async def handle(self, request: ProblemRequested) -> Iterable[Event]:
        await asyncio.sleep(0.01)
        self.work()
        return [draft(request)]

    def join(self, case: bytes | None, event: ProblemVerified) -> tuple[bytes, Iterable[Event], bytes]:
        self.work()
        return b"", [], b""

    def start(self, state: State | None, now: datetime) -> tuple[State, Iterable[Event]]:
        return state or self.State(), []

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, Iterable[Event]]:
        self.work()
        return state, []

    async def open(self, topic_ids: Mapping[str, str]) -> Mapping[tuple[str, int], StoredOffset]:
        return {}

    async def write(self, records: Sequence[Record]) -> None:
        self.work()
        self.done += len(records) - 1

    def outbox(self, cursor: str | None) -> tuple[list[Event], str]:
        return [], ""


async def has_recovered(world: KafkaWorld, loop: ServiceLoop, faulty: Faulty) -> int:
    """Wait until the service stops, see that it makes no dead letter, and repair it. Returns the dead letters."""

    async def is_stopped() -> bool:
        return (loop.why_not_ready() or "").startswith("stopped")

    async def is_tried_again() -> bool:
        return faulty.failed > before + 3

    async def is_ready() -> bool:
        letters = len(await world.records("dead-letters"))
        return loop.why_not_ready() is None and faulty.done == EVENTS - letters

    await until(is_stopped, "the stop")
    before = faulty.failed
    assert str(faulty.error) in (loop.why_not_ready() or "")
    await until(is_tried_again, "further tries")
    assert len(await world.records("dead-letters")) <= LIMIT
    faulty.error = None
    await until(is_ready, "the rest, done")
    return len(await world.records("dead-letters"))


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), Invalid("the endpoint refuses"), Transient("away")])
async def test_a_service_whose_events_all_fail_stops_until_one_succeeds(world: KafkaWorld, error: Exception) -> None:
    faulty = Faulty(error)
    settings = world.settings("problem_writer", bugs_in_a_row=LIMIT, attempts=2, in_flight=IN_FLIGHT)
    loops: list[ServiceLoop] = []

    def make(producer: Producer) -> ServiceLoop:
        loops.append(writer(world, settings, faulty.handle)(producer))
        return loops[0]

    await world.publish(world.requests(EVENTS))
    async with world.running(make):
        assert await has_recovered(world, loops[0], faulty) == LIMIT
        await until(lambda: committed(world, EVENTS), "the commits")
    assert len(await world.events("problem.drafted")) == EVENTS - LIMIT


@pytest.mark.parametrize("kind", ["machine", "sink", "join"])
async def test_every_kind_of_loop_stops_and_resumes(world: KafkaWorld, kind: str) -> None:
    faulty, limit = Faulty(Invalid("refused")), {"bugs_in_a_row": LIMIT}
    loops: list[ServiceLoop] = []
    makers: dict[str, tuple[Callable[[Producer], ServiceLoop], Iterable[Event]]] = {
        "machine": (
            lambda producer: MachineLoop(faulty, world.settings("planner", **limit), producer),
            expanded(*map(str, range(EVENTS))),
        ),
        "sink": (
            lambda producer: SinkLoop(faulty, world.settings("aggregator", **limit), producer),
            rejections(*range(EVENTS)),
        ),
        "join": (
            lambda producer: FaustLoop(faulty.join, world.settings("panel", **limit), producer),
            [verified(number, "verifier-a") for number in range(EVENTS)],
        ),
    }
    build, events = makers[kind]

    def make(producer: Producer) -> ServiceLoop:
        loops.append(build(producer))
        return loops[0]

    await world.publish(events)
    async with world.running(make):
        assert await has_recovered(world, loops[0], faulty) == LIMIT


async def test_an_endpoint_that_answers_400_costs_twenty_problems(world: KafkaWorld) -> None:
    endpoint, plan = FakeEndpoint(fault=400), a_plan(rows=1000, in_progress=24)
    planner = Planner(plan, world.factory)
    topics = [
        TopicExpanded.root(planner.root, "expansion", n, plan=plan.name, subject=name, wanted=3, topics=found)
        for n, name in enumerate(plan.subjects)
        for found in [tuple(a_topic(name, number) for number in range(3))]
    ]
    settings = world.settings("problem_writer")
    async with endpoint.listen() as url:
        models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1"), "m"), "problem_writer")
        loops: list[ServiceLoop] = []

        def make(producer: Producer) -> ServiceLoop:
            loops.append(writer(world, settings, build_handler(models))(producer))
            return loops[0]

        async def is_stopped() -> bool:
            return "400" in (loops[0].why_not_ready() or "")

        await world.publish(topics)
        async with (
            world.running(lambda producer: MachineLoop(planner, world.settings("planner"), producer)),
            world.running(make),
        ):
            await until(is_stopped, "the stop")
            await asyncio.sleep(2)
            parked = await world.events("problem.parked")
            requested = await world.events("problem.requested")
        await models.aclose()
    assert len(parked) == 20
    assert all(isinstance(event, ProblemParked) for event in parked)
    assert len(requested) <= 24 + len(parked)


async def test_a_spent_budget_stops_no_service(world: KafkaWorld) -> None:
    faulty = Faulty(OverBudget("spent"))
    settings = world.settings("problem_writer", bugs_in_a_row=LIMIT)
    await world.publish(world.requests(EVENTS))
    async with world.running(writer(world, settings, faulty.handle)):
        await until(lambda: committed(world, EVENTS), "the dead letters")
    assert len(await world.records("dead-letters")) == EVENTS
