"""Reward: does a completion reach the key? By the rules of the whole factory (`shared.answers`).

right   1.0
wrong   0.0, also for a completion that is truncated, does not close its thinking, or has no final answer
unsure  None: it cannot be graded, so it gives no gradient (TRL leaves it out of its group)
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from shared.answers.extract import final_answer
from shared.ports import Grader

OPEN = "<think>"


class Reward:
    """TRL's reward function. It compares final answers only, never the thinking.

    end_token_ids     a completion that ends with none of them is truncated
    opens_thinking    whether the chat template opens the thinking, so that completions begin inside it
    """

    __name__ = "lands_on_the_key"

    def __init__(
        self, grader: Grader, end_token_ids: frozenset[int] = frozenset(), opens_thinking: bool = False
    ) -> None:
        self._grader = grader
        self._ends = end_token_ids
        self._prefix = OPEN if opens_thinking else ""

    async def grade(self, text: str, key: str, answer_type: str, problem: str) -> float | None:
        """Return the reward of one completion."""
        if (answer := final_answer(text)) is None:
            return 0.0
        found = await self._grader.compare(key, answer, answer_type, problem)
        return {"yes": 1.0, "no": 0.0}.get(found.agrees)

    async def __call__(
        self,
        completions: Sequence[Sequence[dict[str, str]]],
        answer: Sequence[str],
        answer_type: Sequence[str],
        problem: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None],
        **_: Any,
    ) -> list[float | None]:
        texts = [
            f"{self._prefix}{completion[-1]['content']}" if ids and ids[-1] in self._ends else ""
            for completion, ids in zip(completions, completion_ids, strict=True)
        ]
        graded = zip(texts, answer, answer_type, problem, strict=True)
        found = list(await asyncio.gather(*(self.grade(*one) for one in graded)))
        log_metric("unsure", found.count(None) / len(found))
        return found
