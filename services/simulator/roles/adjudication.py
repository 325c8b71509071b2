"""The adjudicator: takes the right one of two answers, or neither, with a probability, and a wrong one otherwise."""

import json

from services.simulator.answers import compare
from services.simulator.recognition import canary_in, field, recognise
from services.simulator.roles.reply import Reply, TaskInput, UnsupportedRequest
from services.simulator.sampling import logistic, seeded_random


def answer_adjudication(task: TaskInput) -> Reply:
    """Compare the lines `First answer` and `Second answer` with the truth. Checking is easier than solving by 1."""
    text = task.request.user_text
    shown = {name: field(text, f"{name} answer") for name in ("first", "second")}
    if None in shown.values():
        raise UnsupportedRequest("an adjudication needs lines `First answer: …` and `Second answer: …`")
    canary = canary_in(text)
    sighting = recognise(text, task.bank)
    if sighting is None:
        return _reply("neither", "I do not recognise this problem.", "unknown", canary)
    problem = sighting.problem
    true = [name for name, answer in shown.items() if compare(problem.answer, answer or "") == "yes"]
    right, wrong = (*true, "neither")[0], [name for name in shown if name not in true]
    chance = task.settings.adjudicator_right
    chance = logistic(task.ability - problem.difficulty + 1) if chance is None else chance
    rng = seeded_random(*task.name("adjudication", problem.id))
    decides = rng.random() < chance
    chosen = right if decides or not wrong else rng.choice(wrong)
    return _reply(
        chosen, f"Working it out gives {problem.answer}.", "right" if decides else "wrong", canary, problem.id
    )


def _reply(chosen: str, reason: str, outcome: str, canary: str, problem: str | None = None) -> Reply:
    content = {"working": reason, "reason": reason, "right": chosen, "canary": canary}
    return Reply("adjudication", json.dumps(content), outcome, problem=problem)
