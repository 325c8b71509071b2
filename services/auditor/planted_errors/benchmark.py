"""A question of a benchmark, with a word less, handed in as a new problem."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from schemas.item import Problem

BENCHMARK_ITEM = "benchmark_item"
LEAST_WORDS = 12
"""Shorter questions say too little to be told from others."""


def benchmark_items(questions: Sequence[str]) -> Mapping[str, Callable[[Problem, Random], Problem | None]]:
    """The defect that draws from these questions. Its key is of no account: screening must not let it through."""
    known = [question for question in questions if len(question.split()) >= LEAST_WORDS]

    def benchmark_item(problem: Problem, dice: Random) -> Problem | None:
        if not known:
            return None
        words = dice.choice(known).split()
        del words[dice.randrange(len(words) - 1)]
        return problem.with_(statement=" ".join(words))

    return {BENCHMARK_ITEM: benchmark_item}
