"""A question of a benchmark without one word, submitted as a new problem."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from schemas.item import Problem

BENCHMARK_ITEM = "benchmark_item"
LEAST_WORDS = 12
"""Shorter questions are not distinctive enough."""


def benchmark_items(questions: Sequence[str]) -> Mapping[str, Callable[[Problem, Random], Problem | None]]:
    """Return the planted error that draws from these questions. Its key is irrelevant: screening must reject it."""
    known = [question for question in questions if len(question.split()) >= LEAST_WORDS]

    def benchmark_item(problem: Problem, rng: Random) -> Problem | None:
        if not known:
            return None
        words = rng.choice(known).split()
        del words[rng.randrange(len(words) - 1)]
        return problem.with_(statement=" ".join(words))

    return {BENCHMARK_ITEM: benchmark_item}
