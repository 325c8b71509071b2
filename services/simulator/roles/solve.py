"""The solver: a long chain of thought and a short solution, correct by ability, otherwise with a shared slip."""

from random import Random

from services.simulator.bank.problem import Problem
from services.simulator.recognition import recognise
from services.simulator.roles.reply import Reply, Stage
from services.simulator.sampling import logistic, seeded_random
from services.simulator.thinking import think

UNKNOWN = "I do not recognise this problem. \\boxed{unknown}"
UNCLEAR = "As it stands, the problem has no definite answer. \\boxed{unknown}"


def play_solve(stage: Stage) -> Reply:
    """Solve the problem in the prompt. The result depends on bank seed, model, sample and problem."""
    sighting = recognise(stage.request.user_text, stage.bank)
    if sighting is None:
        return Reply("solve", UNKNOWN, "unknown", "Nothing in this prompt is a problem that I have seen before.")
    problem = sighting.problem
    rng = seeded_random(*stage.name("solve", problem.id))
    probability = logistic(stage.ability - problem.difficulty)
    right = rng.random() < probability
    if sighting.altered and seeded_random(*stage.name("notice", problem.id)).random() < probability:
        return _notice(problem, rng)
    answer = problem.answer if right else rng.choice(problem.slips)
    return _solution(problem, answer, rng, "right" if right else "wrong")


def _notice(problem: Problem, rng: Random) -> Reply:
    """Answer that the statement is incomplete, or give a wrong answer."""
    if rng.random() < 0.5:
        reasoning = "A condition seems to be missing, or one too many is there; more than one answer would do."
        return Reply("solve", UNCLEAR, "noticed", reasoning, problem.id)
    return _solution(problem, rng.choice(problem.slips), rng, "noticed")


def _solution(problem: Problem, answer: str, rng: Random, outcome: str) -> Reply:
    content = f"{' '.join(problem.worked(answer))}\n\nThe answer is\n\n\\boxed{{{answer}}}"
    return Reply("solve", content, outcome, think(problem, answer, rng), problem.id)
