"""The writer: a problem with a key; at given rates a wrong key, a bad item, or invalid JSON."""

import json
from random import Random

from services.simulator.bank.problem import Problem
from services.simulator.misprint import misprint
from services.simulator.recognition import field
from services.simulator.roles.reply import Reply, TaskInput
from services.simulator.roles.topics import subject_of
from services.simulator.sampling import seeded_random
from services.simulator.settings import Settings


def answer_draft(task: TaskInput) -> Reply:
    """Draw a problem by (seed, subject, topic, sample) and return it as a draft."""
    text = task.request.user_text
    subject, topic = subject_of(text), field(text, "Topic") or ""
    easy = field(text, "Too easy")
    problem = task.bank.draw(subject, topic, task.request.sampling_key(), task.bank.find(easy) if easy else None)
    rng = seeded_random(*task.name("draft", subject, topic))
    sound, key = _key(problem, task.settings, rng)
    statement, form = _statement(problem, key, task.settings, rng)
    item = {
        "plan": f"A problem of the family {problem.family}.",
        "problem": statement,
        "solution": " ".join(problem.worked(key)),
        "check": "",
        "answer": key,
        "answer_type": problem.answer_type,
    }
    whole = json.dumps(item)
    content = _spoiled(whole, task.settings, rng)
    outcome = "malformed" if content != whole else form or sound
    return Reply("draft", content, outcome, problem=problem.id)


def _key(problem: Problem, settings: Settings, rng: Random) -> tuple[str, str]:
    if rng.random() >= settings.wrong_keys:
        return "sound", problem.answer
    if rng.random() < settings.key_overlap:
        slips = problem.slips if settings.error_agreement is None else problem.slips[:1]
        return "wrong_key_slip", rng.choice(slips)
    return "wrong_key_misprint", misprint(problem, rng)


def _statement(problem: Problem, key: str, settings: Settings, rng: Random) -> tuple[str, str]:
    if rng.random() >= settings.bad_form:
        return problem.text, ""
    if rng.random() < 0.5:
        return f"{problem.text} Recall that the answer is ${key}$.", "answer_leaked"
    options = [key, *problem.slips]
    rng.shuffle(options)
    listed = " ".join(f"({letter}) ${option}$" for letter, option in zip("ABCD", options, strict=True))
    return f"{problem.text} Choose one of the following: {listed}", "multiple_choice"


def _spoiled(whole: str, settings: Settings, rng: Random) -> str:
    if rng.random() >= settings.malformed:
        return whole
    if rng.random() < 0.5:
        return whole[: len(whole) * rng.randint(30, 80) // 100]
    return f"Here is a problem that should be suitable:\n\n{whole}\n\nLet me know if you would like another one."
