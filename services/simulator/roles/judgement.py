"""The judge, who sees the key: finds the truth with a probability, and approves otherwise."""

import json

from services.simulator.answers import compare
from services.simulator.recognition import Sighting, canary_in, field, recognise
from services.simulator.roles.reply import Reply, TaskInput
from services.simulator.sampling import logistic, seeded_random
from services.simulator.settings import JUDGE_FALSE_ALARM

HARD_ENOUGH = -1.5
"""Below this difficulty a problem is too easy for a long solution."""


def answer_judgement(task: TaskInput) -> Reply:
    """Judge the item in the prompt. On the scale of difficulty, checking is easier than solving by 1."""
    text = task.request.user_text
    sighting = recognise(text, task.bank)
    proposed = field(text, "Proposed answer") or ""
    canary = canary_in(text)
    if sighting is None:
        reason = "I do not recognise this problem."
        return Reply("judgement", _verdict(False, False, False, reason, "", canary), "unknown")
    problem = sighting.problem
    hard = problem.difficulty >= HARD_ENOUGH
    right = compare(problem.answer, proposed) == "yes"
    if task.settings.judge_catch is not None:
        return _at_declared_rate(task, sighting, hard, right, canary)
    knows = seeded_random(*task.name("judge", problem.id)).random() < logistic(task.ability - problem.difficulty + 1)
    if not knows:
        reason = f"The statement is complete and {proposed} looks plausible."
        return Reply(
            "judgement", _verdict(True, True, hard, reason, problem.subject, canary), "nodded", problem=problem.id
        )
    if sighting.altered:
        reason = "As it stands, the statement leaves the answer open, or asks for something else besides."
        return Reply(
            "judgement", _verdict(False, False, hard, reason, problem.subject, canary), "noticed", problem=problem.id
        )
    reason = f"Working it out gives {problem.answer}, which {'is' if right else 'is not'} the proposed {proposed}."
    outcome = "confirmed" if right else "refuted"
    return Reply("judgement", _verdict(True, right, hard, reason, problem.subject, canary), outcome, problem=problem.id)


def _at_declared_rate(task: TaskInput, sighting: Sighting, hard: bool, right: bool, canary: str) -> Reply:
    """Judge by the declared rates alone. An altered problem counts as one with a wrong key."""
    problem, right = sighting.problem, right and not sighting.altered
    refusal_rate = JUDGE_FALSE_ALARM if right else task.settings.judge_catch or 0.0
    passes = seeded_random(*task.name("judge", problem.id, right)).random() >= refusal_rate
    reason = f"Working it out gives {'the same' if passes else 'another answer'}."
    verdict = _verdict(True, passes, hard, reason, problem.subject, canary)
    return Reply("judgement", verdict, "confirmed" if passes else "refuted", problem=problem.id)


def _verdict(posed: bool, correct: bool, hard: bool, reason: str, subject: str, canary: str) -> str:
    points = {
        "well_posed": posed,
        "self_contained": posed,
        "unique_answer": posed,
        "correct": correct,
        "on_topic": posed,
        "hard_enough": hard,
        "established": True,
        "open_problem": False,
    }
    more = {"subjects": [subject] if subject else [], "reason": reason, "canary": canary}
    return json.dumps(
        {"working": reason, "second_answer": "", "reasons": dict.fromkeys(points, reason), **points, **more}
    )
