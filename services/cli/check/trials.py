"""The trials of each role: the handlers of the services that call its model, each on one event.

A model that fails in a trial fails in the service for the same reason. A trial returns what its result lacks.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TypeVar

from schemas.config.models_config import ROLES
from schemas.config.policies import Solving
from schemas.events import (
    Event,
    EvidenceGiven,
    EvidenceRequested,
    ItemEvent,
    ProblemAccepted,
    ProblemProbed,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    SolutionSynthesized,
    SubjectRequested,
)
from schemas.flow import ADJUDICATOR, SERVICE, consumed_by
from schemas.identity import factory_id
from schemas.outcomes import EvidenceKind
from services.adjudicator import __main__ as adjudicator
from services.cli.check.diagnosis import NO_ANSWER, NO_THINKING, NOT_GRADED
from services.expansion import __main__ as expansion
from services.probe import __main__ as probe
from services.problem_writer import __main__ as problem_writer
from services.synthesis import __main__ as synthesis
from services.verifier import __main__ as verifier
from services.verifier.settings import Settings as VerifierSettings
from shared.answers.judge import open_judge
from shared.exact_problems import exact
from shared.llm import Models
from shared.llm.preflight import Fault
from shared.ports import Grader

E = TypeVar("E", bound=Event)

ROOT, PLANNER = factory_id("check"), "planner"
EXACT = exact(0)
"""A problem whose key is known to be right."""
SUBJECTS = (EXACT.topic.subject, "physics", "history")

SUBJECT = SubjectRequested.root(
    ROOT, PLANNER, plan="check", subject=EXACT.topic.subject, about=EXACT.topic.subject, wanted=3
)
REQUEST = ProblemRequested.root(ROOT, PLANNER, plan="check", topic=EXACT.topic, answer_type=EXACT.problem.answer_type)
ITEM = REQUEST.item.with_(problem=EXACT.problem)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a trial gets: the models of the role, and the graders of the services."""

    role: str
    models: Models
    grader: Grader


async def expand(bench: Bench) -> Fault | None:
    await expansion.build_handler(bench.models)(SUBJECT)
    return None


async def write(bench: Bench) -> Fault | None:
    await problem_writer.build_handler(bench.models)(REQUEST)
    return None


async def verify(bench: Bench) -> Fault | None:
    settings = VerifierSettings(service=bench.role.replace("_", "-"))
    handler = verifier.build_handler(bench.models, settings, bench.grader, 1, SUBJECTS)
    event = _only(await handler(ProblemScreened.of(REQUEST, "screening", ITEM)), ProblemVerified)
    return Fault(event.verdict.unable, NO_ANSWER.next_step) if event.verdict.unable else None


async def adjudicate(bench: Bench) -> Fault | None:
    request = EvidenceRequested.numbered(ITEM, EvidenceKind.ADJUDICATION, ADJUDICATOR, 0, candidates=("-1",))
    event = _only(await adjudicator.build_handler(bench.models)(request), EvidenceGiven)
    return Fault(event.unable, NO_ANSWER.next_step) if event.unable else None


async def solve(bench: Bench) -> Fault | None:
    handler = synthesis.build_handler(bench.models)
    event = _only(await handler(ProblemProbed.of(REQUEST, "probe", ITEM)), SolutionSynthesized)
    return None if event.attempt.reasoning else NO_THINKING


async def grade(bench: Bench) -> Fault | None:
    judge, key = open_judge(bench.models, "check"), EXACT.problem.answer
    if judge:
        await judge(EXACT.problem.statement, key, f"{key}.0")
    return None


async def estimate_difficulty(bench: Bench) -> Fault | None:
    handler = probe.build_handler(bench.models, bench.grader, Solving(probe_attempts=1))
    event = _only(await handler(ProblemAccepted.of(REQUEST, "panel", ITEM)), ProblemProbed)
    return NOT_GRADED if event.item.probe is None or event.item.probe.ungraded else None


async def handle(bench: Bench, service: str) -> Fault | None:
    """Handle each event that a service consumes, about the known problem."""
    handler = import_module(f"services.{SERVICE[service].module}.__main__").build_handler(bench.models)
    for flow in consumed_by(service):
        if issubclass(flow.event, ItemEvent):
            await handler(flow.event.of(REQUEST, flow.producers[0], ITEM))
    return None


def _only(events: Iterable[Event], kind: type[E]) -> E:
    (event,) = events
    if not isinstance(event, kind):
        raise TypeError(f"a trial gave {event.type}")
    return event


Trial = Callable[[Bench], Awaitable[Fault | None]]

TRIALS: dict[str, Trial] = {
    "problem_writer": write,
    "expansion": expand,
    "verifier-a": verify,
    "verifier-b": verify,
    "synthesis": solve,
    "adjudicator": adjudicate,
    "probe": estimate_difficulty,
}
"""By service, where the trial needs more than the known problem, or the result says that the model failed."""


def trials(role: str) -> tuple[Trial, ...]:
    """The trials of a role: one for each service that calls its model; the judge is the same for all of them."""
    if role == "judge":
        return (grade,)
    return tuple(TRIALS.get(service) or partial(handle, service=service) for service in ROLES[role].services)
