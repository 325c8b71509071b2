"""Solved blind, then judged."""

import json

from schemas.events import ProblemScreened, ProblemVerified
from services.verifier.handler import VerifyProblem
from tests.scripted import GRADER, PROBLEM, ScriptedModel, event, item

GOOD = json.dumps(
    dict.fromkeys(("well_posed", "self_contained", "unique_answer", "correct", "on_topic", "hard_enough"), True)
    | {"open_problem": False, "reason": "It holds."}
)


def blind(*lines: str) -> ScriptedModel:
    return ScriptedModel("verifier", "blind", *lines)


def judge(line: str = GOOD) -> ScriptedModel:
    return ScriptedModel("verifier", "judgement", line)


async def verify(blind: ScriptedModel, judge: ScriptedModel, role: str = "verifier-a") -> ProblemVerified:
    [verified] = await VerifyProblem(role, blind, judge, GRADER, 3)(event(ProblemScreened, item()))
    assert isinstance(verified, ProblemVerified)
    return verified


async def test_a_hit_ends_the_attempts() -> None:
    verified = await verify(blind(r"So \boxed{8128}"), judge())
    assert [vote.agrees for vote in verified.verdict.votes] == ["yes"]
    assert verified.verdict.judgement is not None
    assert verified.verdict.judgement.good
    assert verified.verdict.problem_hash == PROBLEM.hash
    assert len(verified.item.calls) == 2


async def test_misses_lead_to_more_attempts_and_all_are_on_record() -> None:
    said = judge()
    verified = await verify(blind(r"\boxed{6}", ScriptedModel.CUT + r"\boxed{8128}", "I do not know."), said)
    votes = [(vote.answer, vote.agrees, vote.method) for vote in verified.verdict.votes]
    assert votes == [("6", "no", "numeric"), (None, "unsure", "too_long"), (None, "unsure", "no_answer")]
    assert verified.verdict.hits == 0
    assert "Proposed answer: 8128" in said.asked[0].splitlines()
    assert "Answers found without knowing the proposed one: 6" in said.asked[0].splitlines()


async def test_the_blind_prompt_holds_neither_key_nor_rationale() -> None:
    solver, said = blind(r"\boxed{6}", r"\boxed{6}", r"\boxed{6}"), judge()
    await verify(solver, said)
    for text in solver.asked:
        assert PROBLEM.answer.encode() not in text.encode()
        assert b"secret" not in text.encode()
    assert "secret" not in said.asked[0]


async def test_the_two_verifiers_roll_different_dice() -> None:
    solvers = {role: blind(*[r"\boxed{6}"] * 3) for role in ("verifier-a", "verifier-b")}
    for role, solver in solvers.items():
        await verify(solver, judge(), role)
    seeds = [seed for solver in solvers.values() for seed in solver.seeds]
    assert len(set(seeds)) == 6


async def test_a_judge_without_json_is_unable_and_ends_nothing() -> None:
    verified = await verify(blind(r"\boxed{8128}"), judge("Looks fine to me."))
    assert verified.verdict.judgement is None
    assert verified.verdict.unable
    assert verified.verdict.hits == 1
    assert len(verified.item.calls) == 2
