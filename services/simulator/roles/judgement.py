"""The judge with the key in view: knows the truth by its ability, and nods when it does not."""

import json
import re

from services.simulator.answers import agrees
from services.simulator.recognition import field, sighted
from services.simulator.roles.reply import Reply, Stage
from services.simulator.sampling import logistic, seeded_random

HARD_ENOUGH = -1.5
"""Below this difficulty a problem is not worth a long solution."""


def play_judgement(stage: Stage) -> Reply:
    """Judge the item that the prompt shows. Checking is easier than solving by 1 on the scale of difficulty."""
    text = stage.request.user_text
    seen = sighted(text, stage.bank)
    proposed = field(text, "Proposed answer") or ""
    told = re.search(r"(?m)^Repeat the word (\S+)", text)
    canary = told[1] if told else ""
    if seen is None:
        said = "I do not recognise this problem."
        return Reply("judgement", _verdict(False, False, False, said, "", canary), "unknown")
    problem = seen.problem
    hard = problem.difficulty >= HARD_ENOUGH
    knows = seeded_random(*stage.name("judge", problem.id)).random() < logistic(stage.ability - problem.difficulty + 1)
    if not knows:
        said = f"The statement is complete and {proposed} looks plausible."
        return Reply(
            "judgement", _verdict(True, True, hard, said, problem.subject, canary), "nodded", problem=problem.id
        )
    if seen.altered:
        said = "As it stands, the statement leaves the answer open, or asks for something else besides."
        return Reply(
            "judgement", _verdict(False, False, hard, said, problem.subject, canary), "noticed", problem=problem.id
        )
    right = agrees(problem.answer, proposed) == "yes"
    said = f"Working it out gives {problem.answer}, which {'is' if right else 'is not'} the proposed {proposed}."
    outcome = "confirmed" if right else "refuted"
    return Reply("judgement", _verdict(True, right, hard, said, problem.subject, canary), outcome, problem=problem.id)


def _verdict(posed: bool, correct: bool, hard: bool, reason: str, subject: str, canary: str) -> str:
    points = {
        "well_posed": posed,
        "self_contained": posed,
        "unique_answer": posed,
        "correct": correct,
        "on_topic": posed,
        "hard_enough": hard,
        "open_problem": False,
    }
    more = {"subjects": [subject] if subject else [], "reason": reason, "canary": canary}
    return json.dumps({"reasons": dict.fromkeys(points, reason), **points, **more})
