"""The solver: a long chain of thought and a short solution; right by ability, wrong by one of the shared slips.

`error_agreement` and `dependence` in the settings say how alike errors are.
"""

from random import Random

from services.simulator.bank.problem import Problem
from services.simulator.misprint import single_error
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
    rng = _draw(stage, problem)
    chance = logistic(stage.ability - problem.difficulty)
    right = rng.random() < chance
    if seen.altered and seeded_random(*stage.name("notice", problem.id)).random() < chance:
        return _lost(problem, rng)
    answer = problem.answer if right else _error(stage, problem, rng)
    return _solved(problem, answer, rng, "right" if right else "wrong")


def _draw(stage: Stage, problem: Problem) -> Random:
    """The dice of this attempt; with the chance that the settings say, those of all dependent models together."""
    shared = stage.settings.dependence.get(stage.request.model, 0.0)
    if shared and seeded_random(*stage.name("shared", problem.id)).random() < shared:
        return seeded_random(stage.bank.seed, "solve", problem.id)
    return seeded_random(*stage.name("solve", problem.id))


def _error(stage: Stage, problem: Problem, rng: Random) -> str:
    """A wrong answer."""
    mean = stage.settings.error_agreement
    if mean is None:
        return rng.choice(problem.slips)
    common = mean
    if 0 < mean < 1:
        common = seeded_random(stage.bank.seed, "common", problem.id).betavariate(2 * mean, 2 * (1 - mean))
    return problem.slips[0] if rng.random() < common else single_error(problem, rng)


def _lost(problem: Problem, rng: Random) -> Reply:
    """Who notices that something is amiss says so, or goes astray."""
    if rng.random() < 0.5:
        thought = "A condition seems to be missing, or one too many is there; more than one answer would do."
        return Reply("solve", UNCLEAR, "noticed", thought, problem.id)
    return _solved(problem, rng.choice(problem.slips), rng, "noticed")


def _solved(problem: Problem, answer: str, rng: Random, outcome: str) -> Reply:
    content = f"{' '.join(problem.worked(answer))}\n\nThe answer is\n\n\\boxed{{{answer}}}"
    return Reply("solve", content, outcome, think(problem, answer, rng), problem.id)
