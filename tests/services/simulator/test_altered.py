"""The simulator before problems that somebody altered, and before problems of exact arithmetic: does it play fair?"""

import json
import math
import re
from collections.abc import Iterable
from random import Random

import pytest

from schemas.item import Problem as Written
from services.auditor.planted_errors import FORMS, KEYS, STATEMENTS
from services.simulator.api.request import ChatRequest
from services.simulator.bank import SUBJECTS, Bank
from services.simulator.bank.problem import Problem
from services.simulator.recognition import Sighting, recognise
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import Reply, TaskInput
from services.simulator.settings import ABILITIES, Settings
from shared.exact_problems import exact

BANK = Bank(0)
WORDS = {**STATEMENTS, **FORMS}
ALTERING = ("missing_datum", "second_solution", "options_added", "proof_asked", "answer_leaked", "twin_reordered")


def played(model: str, text: str, schema: str | None = None) -> Reply:
    form = {"response_format": {"type": "json_schema", "json_schema": {"name": schema}}} if schema else {}
    requested = {"model": model, "messages": [{"role": "user", "content": text}], "seed": 5, **form}
    return reply_to(TaskInput(ChatRequest.model_validate(requested), BANK, Settings()))


def judged(statement: str, answer: str) -> dict[str, bool]:
    text = f"Judge this.\n<data-0123>\n{statement}\n</data-0123>\nProposed answer: {answer}\n"
    return json.loads(played("sim-judge", text, "judgement").content)  # type: ignore[no-any-return]


def sample() -> list[Problem]:
    return [p for subject in SUBJECTS for p in BANK.problems(subject)[::50]]


def written(p: Problem) -> Written:
    return Written(statement=p.text, answer=p.answer, answer_type=p.answer_type, rationale="")


def altered(kind: str) -> list[tuple[Problem, str]]:
    broken = [(p, WORDS[kind](written(p), Random(p.id))) for p in sample()]
    return [(p, found.statement) for p, found in broken if found]


def holds(hits: int, chances: Iterable[float]) -> bool:
    chances = list(chances)
    return abs(hits - sum(chances)) <= 4 * math.sqrt(sum(p * (1 - p) for p in chances))


def chances(model: str, problems: Iterable[Problem], easier: float = 0) -> list[float]:
    return [1 / (1 + math.exp(p.difficulty - ABILITIES[model] - easier)) for p in problems]


@pytest.mark.parametrize("kind", ALTERING)
def test_an_altered_problem_is_known_as_such_or_as_one_of_its_siblings(kind: str) -> None:
    seen = [(p, recognise(f"Solve this.\n{text}\nThink well.", BANK)) for p, text in altered(kind)]
    assert all(sight and sight.altered and sight.problem.family == p.family for p, sight in seen)
    same = sum(sight.problem is p for p, sight in seen if sight)
    assert same > (0.5 if kind == "missing_datum" else 0.95) * len(
        seen
    )  # what is missing may be all that distinguished them


def test_a_bank_problem_is_not_altered_and_other_text_is_not_a_problem() -> None:
    assert all(recognise(p.text, BANK) == Sighting(p) for p in sample())
    assert recognise("Count the ways in which the people of a small town may elect a mayor. " * 9, BANK) is None


def test_solver_and_judge_notice_alterations_at_the_rate_of_their_ability() -> None:
    every = [(p, text, recognise(text, BANK)) for p, text in altered("second_solution")]
    cases = [(p, text) for p, text, sight in every if sight and sight.problem is p]
    outcomes = [(p, played("sim-base", text)) for p, text in cases]
    assert holds(sum(reply.outcome == "noticed" for _, reply in outcomes), chances("sim-base", [p for p, _ in cases]))
    boxed = [(p, re.findall(r"\\boxed\{(.*)\}", reply.content)[-1], reply.outcome) for p, reply in outcomes]
    assert {answer == p.answer for p, answer, outcome in boxed if outcome == "right"} == {True}
    assert not any(answer == p.answer for p, answer, outcome in boxed if outcome == "noticed")
    assert {outcome for *_, outcome in boxed} == {"right", "wrong", "noticed"}
    verdicts = [judged(text, p.answer) for p, text in cases]
    assert holds(sum(not one["well_posed"] for one in verdicts), chances("sim-judge", [p for p, _ in cases], 1))
    assert all(one["well_posed"] == one["unique_answer"] == one["correct"] for one in verdicts)


@pytest.mark.parametrize("kind", KEYS)
def test_a_judge_who_knows_refutes_every_broken_key(kind: str) -> None:
    broken = [(p, KEYS[kind](written(p), Random(p.id))) for p in sample()]
    wrong = [(p, found.answer) for p, found in broken if found]
    refuted = sum(not judged(p.text, answer)["correct"] for p, answer in wrong)
    assert holds(refuted, chances("sim-judge", [p for p, _ in wrong], 1))
    assert all(judged(p.text, p.answer)["correct"] for p, _ in wrong)


def test_exact_problems_are_solved_like_bank_problems_by_difficulty() -> None:
    for level in (0, 4):
        requested = [exact(n).problem for n in range(level, 600, 5)]
        known = [BANK.find(one.statement) for one in requested]
        assert all(
            p and p.answer == one.answer and len({p.answer, *p.slips}) == 4
            for p, one in zip(known, requested, strict=True)
        )
        right = [played("sim-base", one.statement).outcome == "right" for one in requested]
        assert holds(sum(right), chances("sim-base", [p for p in known if p]))
        assert all(judged(one.statement, one.answer)["correct"] for one in requested)
        refuted = [not judged(one.statement, str(int(one.answer) + 1))["correct"] for one in requested]
        assert holds(sum(refuted), chances("sim-judge", [p for p in known if p], 1))
