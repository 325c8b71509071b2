"""Does an answer agree with the key? The rules first, algebra where they leave it open, a judge where that does.

A wrong "yes" puts a bad row into the dataset and a wrong "no" throws a good one out, so a rule decides only what it has
read whole, by a grammar of our own. What none can tell is `unsure`, and goes to a judge where there is one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.answers.guard import objection
from shared.answers.rules.decide import TEXT, decide
from shared.answers.symbolic import SymbolicWorker
from shared.ports import Comparison

__all__ = ["TEXT", "Graders", "standard"]

Judging = Callable[[str, str, str], Awaitable[Comparison]]
"""(question, key, answer) → what a judge finds."""


@dataclass(frozen=True, slots=True)
class Graders:
    """A `shared.ports.Grader` made of the rules, perhaps a worker for algebra, and perhaps a judge."""

    worker: SymbolicWorker | None = None
    judge: Judging | None = None

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        """Whether two answers of a type agree. Raises Transient when a judge cannot be reached."""
        if why := objection(key, question) or objection(answer, question):
            return Comparison("unsure", "guard", why)
        decision = decide(key, answer, answer_type)
        result = decision.result
        if result.agrees == "unsure" and decision.needs_algebra and self.worker is not None:
            result = await self.worker.compare(key, answer, answer_type)
        if result.agrees != "unsure" or self.judge is None or not question:
            return result
        return await self.judge(question, key, answer)


def standard(worker: SymbolicWorker, judge: Judging | None = None) -> Graders:
    """The graders that every service uses."""
    return Graders(worker, judge)
