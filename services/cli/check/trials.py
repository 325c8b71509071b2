"""The trials of each role: the services' own handlers, each on one event.

A model that fails in a trial fails in the service for the same reason. A trial returns what its result lacks.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from schemas.config.policies import Solving
from schemas.events import (
    Event,
    EvidenceGiven,
    EvidenceRequested,
    ProblemAccepted,
    ProblemProbed,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    SolutionSynthesized,
    SubjectRequested,
)
from schemas.flow import ADJUDICATOR
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


def _only(events: Iterable[Event], kind: type[E]) -> E:
    (event,) = events
    if not isinstance(event, kind):
        raise TypeError(f"a trial gave {event.type}")
    return event


TRIALS: dict[str, tuple[Callable[[Bench], Awaitable[Fault | None]], ...]] = {
    "writer": (write, expand),
    "verifier_a": (verify,),
    "verifier_b": (verify,),
    "solver": (solve,),
    "judge": (grade,),
    "adjudicator": (adjudicate,),
    "base": (estimate_difficulty,),
}
