"""The solver: a long chain of thought and a short solution, correct by ability, otherwise with a shared slip.

The settings `error_agreement` and `dependence` decide how alike errors are, `solve_rates` how hard problems are.
"""

from random import Random

from services.simulator.bank.problem import Problem
from services.simulator.misprint import single_error
from services.simulator.recognition import recognise
from services.simulator.roles.reply import Reply, TaskInput
from services.simulator.sampling import logistic, seeded_random
from services.simulator.thinking import think

UNKNOWN = "I do not recognise this problem. \\boxed{unknown}"
UNCLEAR = "As it stands, the problem has no definite answer. \\boxed{unknown}"


def answer_solve(task: TaskInput) -> Reply:
    """Solve the problem in the prompt. The result depends on bank seed, model, sample and problem."""
    sighting = recognise(task.request.user_text, task.bank)
    if sighting is None:
        return Reply("solve", UNKNOWN, "unknown", "Nothing in this prompt is a problem that I have seen before.")
    problem = sighting.problem
    rng = _attempt_random(task, problem)
    probability = _solve_rate(task, problem)
    right = rng.random() < probability
    if sighting.altered and seeded_random(*task.name("notice", problem.id)).random() < probability:
        return _notice(problem, rng)
    answer = problem.answer if right else _wrong_answer(task, problem, rng)
    return _solution(problem, answer, rng, "right" if right else "wrong")


def _solve_rate(task: TaskInput, problem: Problem) -> float:
    shape = task.settings.solve_rates
    if shape is None:
        return logistic(task.ability - problem.difficulty)
    return seeded_random(task.bank.seed, "solve rate", problem.id).betavariate(*shape)


def _attempt_random(task: TaskInput, problem: Problem) -> Random:
    """Return the generator of this attempt: its own, or the one that dependent models share on this problem."""
    share = task.settings.dependence.get(task.request.model, 0.0)
    if share and seeded_random(*task.name("shared", problem.id)).random() < share:
        return seeded_random(task.bank.seed, "solve", problem.id)
    return seeded_random(*task.name("solve", problem.id))


def _wrong_answer(task: TaskInput, problem: Problem, rng: Random) -> str:
    mean = task.settings.error_agreement
    if mean is None:
        return rng.choice(problem.slips)
    common = mean
    if 0 < mean < 1:
        common = seeded_random(task.bank.seed, "common", problem.id).betavariate(2 * mean, 2 * (1 - mean))
    return problem.slips[0] if rng.random() < common else single_error(problem, rng)


def _notice(problem: Problem, rng: Random) -> Reply:
    """Answer that the statement is incomplete, or give a wrong answer."""
    if rng.random() < 0.5:
        reasoning = "A condition seems to be missing, or one too many is there; more than one answer would do."
        return Reply("solve", UNCLEAR, "noticed", reasoning, problem.id)
    return _solution(problem, rng.choice(problem.slips), rng, "noticed")


def _solution(problem: Problem, answer: str, rng: Random, outcome: str) -> Reply:
    content = f"{' '.join(problem.worked(answer))}\n\nThe answer is\n\n\\boxed{{{answer}}}"
    return Reply("solve", content, outcome, think(problem, answer, rng), problem.id)
