"""The planner's state on the log: of any size, with counts instead of ids, and read again by the next replica."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from schemas.config.plan import SUBJECTS, Plan
from schemas.events import Event, ProblemRejected, ProblemRequested, TopicExpanded
from schemas.item import Topic
from services.planner.handler import Planner
from services.planner.ids_from_log import FIELDS, read_ids
from services.planner.state import State, SubjectState, TopicState
from shared.kafka.clients import RECORD_LIMIT, Producer
from shared.kafka.codec import encode
from shared.kafka.dlq.dead_letter import Failure, SourceRecord, to_record
from shared.kafka.dlq.replay import list_dead_letters, replay
from shared.kafka.read.state_log import StateLog, read_documents
from shared.runtime import FromLog
from shared.runtime.machine import MachineLoop, Snapshot, read_snapshot
from tests.integration.test_dead_letters import chimera
from tests.support.kafka_world import KafkaWorld, until
from tests.support.planning import a_plan, a_topic, curated, rejected

SERVICE = "planner"


@dataclass(frozen=True)
class Buggy:
    """A planner that fails on the end of one problem."""

    planner: Planner
    problem: UUID
    state_type = State

    def start(self, state: State | None, now: datetime) -> tuple[State, object]:
        return self.planner.start(state, now)

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, object]:
        if isinstance(event, ProblemRejected) and event.item.id == self.problem:
            raise ZeroDivisionError("a bug")
        return self.planner(state, event, now)


@asynccontextmanager
async def planning(world: KafkaWorld, machine: Planner | Buggy, session_s: float = 6) -> AsyncIterator[None]:
    from_log = FromLog(FIELDS, partial(read_ids, world.access, world.factory))

    def make(producer: Producer) -> MachineLoop:
        return MachineLoop(machine, world.settings(SERVICE, session_s=session_s), producer, from_log)  # type: ignore[arg-type]

    async with world.running(make):
        yield


async def state_of(world: KafkaWorld) -> State:
    snapshot = await read_snapshot(world.access, world.factory, "planner-state")
    return State.model_validate(snapshot.state) if snapshot else State()


def holds(world: KafkaWorld, condition: Callable[[State], bool]) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return condition(await state_of(world))

    return is_so


def topics(world: KafkaWorld, plan: Plan) -> list[TopicExpanded]:
    root = Planner(plan, world.factory).root
    return [
        TopicExpanded.root(root, "test", plan=plan.name, subject=name, wanted=3, topics=(a_topic(name, 1),))
        for name in plan.subjects
    ]


def has_one_end(state: State) -> bool:
    return state.subject("physics").ended == 1 and state.parked_count == 3


def has_parked(least: int, state: State) -> bool:
    return state.parked_count >= least


async def park(world: KafkaWorld, request: ProblemRequested, partition: int, service: str = "problem_writer") -> None:
    message = encode(request, "test")
    record = SourceRecord(message.name, partition, 0, 0, message.key, message.value, message.headers)
    for letter in to_record("problem.requested", record, Failure(world.factory, service, ValueError("no"), 1)):
        await world.put(letter.name, letter.key, letter.value, letter.headers)


async def test_the_end_of_a_parked_problem_counts_once_for_any_replica(world: KafkaWorld) -> None:
    plan = a_plan(rows=100, in_progress=4, physics=1)
    planner = Planner(plan, world.factory)
    await world.publish(topics(world, plan))
    async with planning(world, planner):
        await until(holds(world, lambda state: len(state.in_flight) == 4), "the requests")
        first, second, third, failing = requests = await world.events("problem.requested")
        foreign = first.with_(id=uuid4())
        for number, request in enumerate([first, second, third, foreign]):
            await park(world, request, number)
        await until(holds(world, lambda state: state.parked_count == 3), "three parked problems")
    snapshot = await read_snapshot(world.access, world.factory, "planner-state")
    assert snapshot
    assert not {str(request.id) for request in requests[:3]} & set(str(snapshot.state).replace("'", " ").split())
    async with planning(world, Buggy(planner, failing.id)):
        await world.publish([rejected(first, "dropped"), rejected(foreign, "dropped"), rejected(failing, "unsolved")])
        await until(holds(world, has_one_end), "one end, and one that it fails on")
    async with planning(world, planner):
        await world.publish([rejected(first, "dropped"), rejected(second, "dropped")])
        await until(holds(world, lambda state: state.subject("physics").ended == 2), "the second end")
        letters = [one for one in await list_dead_letters(world.access, world.factory) if one.service == SERVICE]
        await replay(world.access, world.factory, letters)
        await until(holds(world, lambda state: state.subject("physics").ended == 3), "the replayed end")
        await world.publish([rejected(failing, "unsolved"), curated(third, "in"), curated(third, "in")])
        await until(holds(world, lambda state: state.parked_count == 0), "the last end")
    subject = (await state_of(world)).subject("physics")
    assert (subject.ended, subject.admitted, subject.parked) == (4, 1, None)


def many_topics(subject: str) -> tuple[TopicState, ...]:
    text = "The beginning of a problem, " * 8
    topics = (
        Topic(subject=subject, field="a field", subfield="a subfield", name=f"topic {n} of a usual length")
        for n in range(3750)
    )
    return tuple(TopicState(topic=one, requested=40, ended=34, good=20, summaries=(text,)) for one in topics)


async def test_thirty_thousand_topics_and_a_million_endings_fit(world: KafkaWorld) -> None:
    plan = a_plan(rows=10**7, in_progress=64, **dict.fromkeys(SUBJECTS, 1.0))
    planner = Planner(plan, world.factory)
    big = State(
        plan_hash=plan.hash,
        adoptions=1,
        subjects={
            name: SubjectState(topics=many_topics(name), exhausted=True, ended=127_500, good=75_000, admitted=75_000)
            for name in plan.subjects
        },
        parked={uuid4(): ("physics", n) for n in range(100)},
    )
    producer = Producer(world.access, world.factory)
    await producer.start()
    document = Snapshot(state=big.model_dump(mode="json"), offsets={}, outbox="").model_dump_json().encode()
    await StateLog(world.access, world.factory, "planner-state", producer).write_full(document)
    await producer.stop()
    assert len(document) > RECORD_LIMIT

    async def has_requested() -> bool:
        return sum((await world.ends("problem.requested")).values()) == plan.in_progress

    async def has_ended() -> bool:
        return sum((await world.committed(SERVICE, "problem.rejected")).values()) == 1

    async with planning(world, planner, session_s=60):
        await until(has_requested, "the requests")
        (request, *_) = await world.events("problem.requested")
        await world.publish([rejected(request, "unsolved")])
        await until(has_ended, "one more end")
    state = await state_of(world)
    assert sum(one.ended for one in state.subjects.values()) == 8 * 127_500 + 1
    records = await world.records("planner-state")
    assert max(len(record.value or b"") for record in records) < RECORD_LIMIT / 2
    _, (*_, latest) = await read_documents(world.access, world.factory, "planner-state")
    assert len(latest) < 32_000
    assert state.parked_count == 100


async def test_a_replay_takes_what_the_plan_still_wants_and_shows_the_cost(world: KafkaWorld) -> None:
    plan = a_plan(rows=3, in_progress=2, physics=1)
    await world.publish(topics(world, plan))
    async with planning(world, Planner(plan, world.factory)):
        for parked in range(10):  # of three rows, ten problems are parked
            await until(holds(world, lambda state: len(state.in_flight) > 0 or state.parked_count > 8), "requests")
            state = await state_of(world)
            requests = [one for one in await world.events("problem.requested") if one.id in state.in_flight]
            for request in requests:
                await park(world, request, parked)
            await until(holds(world, partial(has_parked, len(requests) + state.parked_count)), "the parking")
    letters = await chimera(world, "list")
    shown = await chimera(world, "replay", "--dry-run")
    assert len(letters) > 8
    assert shown["estimate"] == {"problems": 5, "tokens": None, "dollars": None}
    assert len((await chimera(world, "replay"))["replayed"]) == 5
    assert len((await chimera(world, "replay", "--all"))["replayed"]) == len(letters) - 5
    assert await chimera(world, "list") == []
