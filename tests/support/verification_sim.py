"""Measures verification policies: the real verifiers and panel on problems with known truth.

The simulator's roles answer in process, without HTTP, so that a policy runs on a thousand problems in seconds. Results
follow from simulated abilities and difficulties (`services/simulator/README.md`); they say nothing about real models.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from schemas.config.policies import View
from schemas.events import Event, ProblemAccepted, ProblemScreened, ProblemVerified, SolutionChecked
from schemas.item import Problem, Provenance, Topic
from services.panel.handler import JoinVerdicts
from services.simulator.api.request import ChatRequest
from services.simulator.bank import SUBJECTS, Bank
from services.simulator.misprint import misprint
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import TaskInput
from services.simulator.settings import Settings
from services.verifier.handler import VerifyProblem
from shared.llm.prompts import Prompt
from shared.llm.replies.structured_output import parse
from shared.ports import Comparison, Grader, Reply, T
from tests.support.fake_models import event, provenance, requested
from tests.support.items import attempt, verdict

BANK = Bank(0)
ABLE = Settings(abilities={"sim-verifier-a": 0.6, "sim-verifier-b": 0.2})
"""Verifiers near the limit of their ability, as real ones are with PhD-level problems."""
POINTS = ("well_posed", "self_contained", "unique_answer", "correct", "hard_enough")


class SimulatedModel:
    """A model of the simulator, called through the real prompt."""

    def __init__(self, name: str, prompt: str) -> None:
        self.name = name
        self._prompt = Prompt.load(Path("services/verifier/prompts") / f"{prompt}.md")

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        return self._reply(fields, seed, {"type": "text"})

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        schema = {"type": "json_schema", "json_schema": {"name": form.__name__.lower()}}
        reply = self._reply(fields, seed, schema)
        return parse(form, reply.text), reply.calls

    def _reply(self, fields: Mapping[str, str], seed: int, form: dict[str, Any]) -> Reply:
        messages = self._prompt.messages(fields, seed)
        request = {"model": self.name, "messages": messages, "seed": seed, "response_format": form}
        output = reply_to(TaskInput(ChatRequest.model_validate(request), BANK, ABLE))
        return Reply(output.content, output.reasoning, (provenance(seed),))


class AlwaysApproves(SimulatedModel):
    """A judge that approves everything."""

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        output, calls = await super().structured(fields, form, seed=seed)
        return output.model_copy(update={**dict.fromkeys(POINTS, True), "established": True}), calls


async def judged(
    screened: ProblemScreened, grader: Grader, models: Mapping[str, str], attempts: int = 4
) -> list[Event]:
    """Return what verifiers simulated by these models, by role, and the panel make of a screened problem."""
    accept: dict[View, tuple[str, ...]] = {"rl": ("verified", "plausible")}
    join, case, output = JoinVerdicts(accept["rl"], accept=accept), None, list[Event]()
    for role, name in models.items():
        blind, judge = SimulatedModel(name, "blind"), SimulatedModel(name, "judgement")
        [verified] = await VerifyProblem(role, blind, judge, grader, attempts, SUBJECTS)(screened)
        assert isinstance(verified, ProblemVerified)
        case, decided, _ = join(case, verified)
        output += (event for event in decided if isinstance(event, Event))
    return output


class Remembering:
    """A grader with a cache, so that every policy gets the same results."""

    def __init__(self, grader: Grader) -> None:
        self._grader, self._known = grader, dict[tuple[str, str, str], Comparison]()

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        pair = (key, answer, answer_type)
        if pair not in self._known:
            self._known[pair] = await self._grader.compare(key, answer, answer_type)
        return self._known[pair]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem with the key of its writer."""

    subject: str
    problem: Problem
    difficulty: float
    right: bool
    natural: bool
    """For a wrong key: whether solvers make the same error."""


def candidates(count: int, wrong: float, natural: float, seed: int = 0) -> list[Candidate]:
    """Draw problems. `wrong`: fraction with a wrong key; `natural`: fraction of these that solvers reach too."""
    return [_candidate(Random(f"{seed} {number}"), wrong, natural) for number in range(count)]


def _candidate(rng: Random, wrong: float, natural: float) -> Candidate:
    subject = rng.choice(SUBJECTS)
    drawn, right, slip = rng.choice(BANK.problems(subject)), rng.random() >= wrong, rng.random() < natural
    key = drawn.answer if right else rng.choice(drawn.slips) if slip else misprint(drawn, rng)
    problem = Problem(statement=drawn.text, answer=key, answer_type=drawn.answer_type, rationale="")
    return Candidate(subject, problem, drawn.difficulty, right, slip)


def known_rows(count: int) -> list[SolutionChecked]:
    """Make rows of problems that the simulator knows, with a solution that misses the key."""
    both = (verdict("verifier-a"), verdict("verifier-b"))
    topic = Topic(subject="mathematics", field="f", subfield="s", name="t")
    known = {"topic": topic, "tier": "verified", "verdicts": both, "attempts": (attempt(0, "no"),)}
    return [
        SolutionChecked.of(
            requested(number), "answer_checker", requested(number).item.with_(problem=one.problem, **known), final=True
        )
        for number, one in enumerate(candidates(count, wrong=0, natural=0))
    ]


@dataclass(frozen=True, slots=True)
class Policy:
    """A verification policy."""

    name: str
    blind_attempts: int = 4
    tiers: tuple[str, ...] = ("verified",)
    rests_on: str = "evidence"
    judge: type[SimulatedModel] = SimulatedModel


async def accepted(policy: Policy, drawn: Iterable[Candidate], grader: Grader) -> list[bool]:
    """Return which candidates the verifiers and the panel accept."""
    return [await _accepted(policy, number, one, grader) for number, one in enumerate(drawn)]


async def _accepted(policy: Policy, number: int, drawn: Candidate, grader: Grader) -> bool:
    topic = Topic(subject=drawn.subject, field="f", subfield="s", name="t")
    screened = event(ProblemScreened, requested(number).item.with_(problem=drawn.problem, topic=topic))
    join, case = JoinVerdicts(policy.tiers, policy.rests_on), None
    output: list[Event] = []
    for role in ("verifier-a", "verifier-b"):
        name = f"sim-{role}"
        judge = policy.judge(name, "judgement")
        verify = VerifyProblem(role, SimulatedModel(name, "blind"), judge, grader, policy.blind_attempts, SUBJECTS)
        [verified] = await verify(screened)
        assert isinstance(verified, ProblemVerified)
        case, decided, _ = join(case, verified)
        output += (event for event in decided if isinstance(event, Event))
    return isinstance(output[-1], ProblemAccepted)


HARD = 1.0
"""Minimum difficulty of a hard problem: a sixth of the bank, whose range is -2 to 3."""
EASY = -1.5
"""Difficulty below which the simulated judges call a problem too easy."""

POLICIES = (
    Policy("both at the first try", blind_attempts=1),
    Policy("paper: two nods", rests_on="paper", tiers=("nodded",)),
    *(Policy(f"verified, up to {k}", blind_attempts=k) for k in (2, 4, 8)),
    Policy("verified or plausible, up to 2", blind_attempts=2, tiers=("verified", "plausible")),
    Policy("verified or plausible, up to 4", tiers=("verified", "plausible")),
    Policy("verified, judges that always nod", judge=AlwaysApproves),
    Policy("two nods, judges that always nod", rests_on="paper", tiers=("nodded",), judge=AlwaysApproves),
)
"""The policies of the table; `verified, up to 4` is the default for SFT."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results of a policy; fractions from 0 to 1."""

    good_kept: float
    hard_kept: float
    """Fraction of the good problems with difficulty HARD or more that are kept."""
    difficulty: float
    """Mean difficulty of the good problems kept."""
    misprints_in: float
    """Fraction accepted of the wrong keys that no solver reaches."""
    slips_in: float
    """Fraction accepted of the wrong keys that solvers reach too."""
    wrong_rows: float
    """Fraction of wrong keys among all accepted problems."""


def outcome(drawn: Sequence[Candidate], let_in: Sequence[bool]) -> Outcome:
    """Compare the accepted candidates with the truth."""
    pairs = list(zip(drawn, let_in, strict=True))
    good = [(one, kept) for one, kept in pairs if one.right and one.difficulty >= EASY]
    wrong = [(one, kept) for one, kept in pairs if not one.right]
    kept = [one.difficulty for one, kept in good if kept]
    return Outcome(
        good_kept=_share(kept for _, kept in good),
        hard_kept=_share(kept for one, kept in good if one.difficulty >= HARD),
        difficulty=sum(kept) / len(kept) if kept else float("nan"),
        misprints_in=_share(kept for one, kept in wrong if not one.natural),
        slips_in=_share(kept for one, kept in wrong if one.natural),
        wrong_rows=_share(not one.right for one, kept in pairs if kept),
    )


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else float("nan")
