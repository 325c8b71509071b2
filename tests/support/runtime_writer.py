"""For tests of the runtime: a problem_writer in the test's process."""

from collections.abc import Callable, Iterable

from schemas.events import Event, ProblemDrafted, ProblemRequested
from schemas.item import Problem
from shared.config.settings import Settings
from shared.kafka.clients import Producer
from shared.runtime.service import Handler
from shared.runtime.stateless import StatelessLoop
from tests.support.kafka_world import KafkaWorld

SERVICE = "problem_writer"


def draft(request: ProblemRequested, statement: str = "one?") -> ProblemDrafted:
    problem = Problem(statement=statement, answer="1", answer_type="number", rationale="")
    return ProblemDrafted.of(request, SERVICE, request.item.with_(problem=problem))


def writer(world: KafkaWorld, settings: Settings, handle: Handler) -> Callable[[Producer], StatelessLoop]:
    return lambda producer: StatelessLoop(handle, settings, producer, world.outcomes(settings))


async def write(request: ProblemRequested) -> Iterable[Event]:
    return [draft(request)]


async def committed(world: KafkaWorld, number: int) -> bool:
    return sum((await world.committed(SERVICE, "problem.requested")).values()) == number
