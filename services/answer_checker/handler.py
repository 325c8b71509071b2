"""Does the solution land on the key? Right, wrong, or cannot be told; and is another attempt worth it?

Where every attempt misses the key, and a sound one lands on an answer that a verifier found blind, two models have
found the same without the key: then the key is disputed after all, and the item ends rejected instead of as a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemRejected, SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.item import FAULTS, Attempt, Item
from services.answer_checker.judge_audit import AuditJudge
from services.answer_checker.trace import flaws
from shared.answers.rivals import agree, wrong
from shared.ports import Comparison, Grader

ROLE = "answer_checker"


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """`traces` attempts are wanted; `retries` more while none has landed on the key."""

    grader: Grader
    traces: int
    retries: int
    policy: str = "evidence"
    audit_judge: AuditJudge | None = None
    """None: the judge is not measured."""

    async def __call__(self, event: SolutionSynthesized) -> Iterable[Event]:
        found = await self._compare(event.attempt, event.item)
        flawed = flaws(event.attempt, event.item.written.statement)
        checked = event.attempt.with_(agrees=found.agrees, method=found.method, flaws=flawed)
        item = event.item.with_(attempts=(*event.item.attempts, checked))
        if self._wants_more(item):
            said = SolutionChecked.of(event, ROLE, item=item, calls=found.calls, final=False)
            return [said, SolutionRequested.of(event, ROLE, item=said.item)]
        if self.policy == "evidence" and (why := disputed(item)):
            item = item.with_(tier="disputed", tier_reason=why)
            return [ProblemRejected.of(event, ROLE, item, found.calls, reason="key_disputed", detail=why)]
        audit = await self.audit_judge(event, item) if self.audit_judge else None
        last = SolutionChecked.of(event, ROLE, item=item, calls=found.calls, final=True)
        return [last, audit] if audit else [last]

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
        return len(item.attempts) < self.traces + (0 if _landed(item) else self.retries)


def disputed(item: Item) -> str:
    """Why the solver's word disputes the key, in a sentence; empty when it does not."""
    if _landed(item):
        return ""
    for attempt in item.attempts:
        if attempt.answer is not None and attempt.agrees == "no" and not attempt.flaws:
            blind = [found for verdict in item.verdicts for found in wrong(verdict) if agree(found, attempt.answer)]
            if blind:
                return f"the solver found {attempt.answer!r}, as did {len(blind)} of the blind votes, and never the key"
    return ""


def _landed(item: Item) -> bool:
    return any(attempt.agrees == "yes" for attempt in item.attempts)
