"""Does a completion land on the key? The same rules as everywhere in the factory (`shared.answers`).

right   1.0
wrong   0.0, and so is a completion without a closed thought or a final answer: it did not answer within its tokens
unsure  None: nobody can tell, so it teaches nothing (TRL leaves it out of its group)
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from shared.answers.extract import completed_answer
from shared.ports import Grader


class Reward:
    """TRL's reward function. Only extracted answers are compared, never the thinking."""

    __name__ = "lands_on_the_key"

    def __init__(self, grader: Grader) -> None:
        self._grader = grader

    async def grade(self, text: str, key: str, answer_type: str, problem: str) -> float | None:
        """The reward of one completion."""
        if (answer := completed_answer(text)) is None:
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
