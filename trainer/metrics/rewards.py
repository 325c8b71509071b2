"""Reward: does a completion reach the key? By the rules of the whole factory (`shared.answers`).

right   1.0
wrong   0.0, also for a completion without closed thinking or without a final answer: it did not answer in its tokens
unsure  None: it cannot be graded, so it gives no gradient (TRL leaves it out of its group)
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from shared.answers.extract import final_answer
from shared.ports import Grader

CLOSE = "</think>"


def extract_answer(text: str) -> str | None:
    """Return the final answer of a completion; None when its thinking is not closed or it gives none."""
    _, closed, solution = text.rpartition(CLOSE)
    return final_answer(solution) if closed else None


class Reward:
    """TRL's reward function. It compares final answers only, never the thinking."""

    __name__ = "lands_on_the_key"

    def __init__(self, grader: Grader) -> None:
        self._grader = grader

    async def grade(self, text: str, key: str, answer_type: str, problem: str) -> float | None:
        """Return the reward of one completion."""
        if (answer := extract_answer(text)) is None:
            return 0.0
        found = await self._grader.compare(key, answer, answer_type, problem)
        return {"yes": 1.0, "no": 0.0}.get(found.agrees)

    async def __call__(
        self,
        completions: Sequence[Sequence[dict[str, str]]],
        answer: Sequence[str],
        answer_type: Sequence[str],
        problem: Sequence[str],
        log_metric: Callable[[str, float], None],
        **_: Any,
    ) -> list[float | None]:
        texts = [completion[-1]["content"] for completion in completions]
        graded = zip(texts, answer, answer_type, problem, strict=True)
        found = list(await asyncio.gather(*(self.grade(*one) for one in graded)))
        log_metric("unsure", found.count(None) / len(found))
        return found
