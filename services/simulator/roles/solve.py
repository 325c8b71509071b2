"""The solver: a long chain of thought and a short solution; right by ability, wrong by one of the shared slips."""

from random import Random

from services.simulator.bank.problem import Problem
from services.simulator.recognition import sighted
from services.simulator.roles.reply import Reply, Stage
from services.simulator.sampling import logistic, seeded_random
from services.simulator.thinking import think

UNKNOWN = "I do not recognise this problem. \\boxed{unknown}"
UNCLEAR = "As it stands, the problem has no definite answer. \\boxed{unknown}"


def play_solve(stage: Stage) -> Reply:
    """Solve the problem in the prompt; the die is named by (bank seed, model, sample, problem)."""
    seen = sighted(stage.request.user_text, stage.bank)
    if seen is None:
        return Reply("solve", UNKNOWN, "unknown", "Nothing in this prompt is a problem that I have seen before.")
    problem = seen.problem
    rng = seeded_random(*stage.name("solve", problem.id))
    chance = logistic(stage.ability - problem.difficulty)
    right = rng.random() < chance
    if seen.altered and seeded_random(*stage.name("notice", problem.id)).random() < chance:
        return _lost(problem, rng)
    answer = problem.answer if right else rng.choice(problem.slips)
    return _solved(problem, answer, rng, "right" if right else "wrong")


def _lost(problem: Problem, rng: Random) -> Reply:
    """Who notices that something is amiss says so, or goes astray."""
    if rng.random() < 0.5:
        thought = "A condition seems to be missing, or one too many is there; more than one answer would do."
        return Reply("solve", UNCLEAR, "noticed", thought, problem.id)
    return _solved(problem, rng.choice(problem.slips), rng, "noticed")


def _solved(problem: Problem, answer: str, rng: Random, outcome: str) -> Reply:
    content = f"{' '.join(problem.worked(answer))}\n\nThe answer is\n\n\\boxed{{{answer}}}"
    return Reply("solve", content, outcome, think(problem, answer, rng), problem.id)
