"""The solver: a long chain of thought and a short solution; right by ability, wrong by one of the shared slips."""

from services.simulator.dice import dice, logistic
from services.simulator.plays.reply import Reply, Stage
from services.simulator.recognise import problem_in
from services.simulator.thinking import think

UNKNOWN = "I do not recognise this problem. \\boxed{unknown}"


def play_solve(stage: Stage) -> Reply:
    """Solve the problem in the prompt; the die is named by (bank seed, model, sample, problem)."""
    problem = problem_in(stage.request.user_text, stage.bank)
    if problem is None:
        return Reply("solve", UNKNOWN, "unknown", "Nothing in this prompt is a problem that I have seen before.")
    rng = dice(*stage.name("solve", problem.id))
    right = rng.random() < logistic(stage.ability - problem.difficulty)
    answer = problem.answer if right else rng.choice(problem.slips)
    steps = problem.worked(answer)
    content = f"{' '.join(steps)}\n\nThe answer is\n\n\\boxed{{{answer}}}"
    return Reply("solve", content, "right" if right else "wrong", think(problem, answer, rng), problem.id)
