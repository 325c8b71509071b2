"""Does the solution land on the key? Right, wrong, or cannot be told; and is another attempt worth it?"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.item import FAULTS, Attempt, Item
from services.answer_checker.trace import flaws
from shared.ports import Comparison, Grader

ROLE = "answer_checker"


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """`traces` attempts are wanted; `retries` more while none has landed on the key."""

    grader: Grader
    traces: int
    retries: int

    async def __call__(self, event: SolutionSynthesized) -> Iterable[Event]:
        found = await self._compare(event.attempt, event.item)
        checked = event.attempt.with_(agrees=found.agrees, method=found.method, flaws=flaws(event.attempt))
        item = event.item.with_(attempts=(*event.item.attempts, checked))
        final = not self._wants_more(item)
        said = SolutionChecked.of(event, ROLE, item=item, calls=found.calls, final=final)
        return [said] if final else [said, SolutionRequested.of(event, ROLE, item=said.item)]

    async def _compare(self, attempt: Attempt, item: Item) -> Comparison:
        if fault := next((flaw for flaw in attempt.flaws if flaw in FAULTS), None):
            return Comparison("unsure", fault)
        if attempt.answer is None:
            return Comparison("unsure", "no_answer")
        if known := next((one for one in item.attempts if one.answer == attempt.answer and one.agrees), None):
            return Comparison(known.agrees or "unsure", known.method or "", "the same answer was compared before")
        key = item.written
        return await self.grader.compare(key.answer, attempt.answer, key.answer_type, key.statement)

    def _wants_more(self, item: Item) -> bool:
        landed = any(attempt.agrees == "yes" for attempt in item.attempts)
        return len(item.attempts) < self.traces + (0 if landed else self.retries)
