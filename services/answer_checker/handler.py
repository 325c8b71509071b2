"""Compares a solution with the key, checks its trace, and requests further attempts.

When every attempt misses the key, and a sound one gives an answer that a verifier also found blind, two models agree
against the key: the key is disputed, and the item is rejected. At the end of an item belief in its key counts the
solver's answers too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemRejected, SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.item import FAULTS, Attempt, Item, Provenance
from schemas.outcomes import Tier
from services.answer_checker.judge_audit import AuditJudge
from services.answer_checker.trace import find_flaws
from shared.answers.rivals import agree, wrong
from shared.ports import Comparison, Grader, TaggedEvent
from shared.stats.item_belief import belief_after_solving

ROLE = "answer_checker"


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Requests `traces` attempts, and up to `retries` more while none hits the key."""

    grader: Grader
    traces: int
    retries: int
    policy: str = "evidence"
    audit_judge: AuditJudge | None = None
    """None: the judge is not measured."""

    async def __call__(self, event: SolutionSynthesized) -> Iterable[Event | TaggedEvent]:
        item, calls = await self._check(event)
        if self._needs_more(item):
            checked = SolutionChecked.of(event, ROLE, item=item, calls=calls, final=False)
            return [checked, SolutionRequested.of(event, ROLE, item=checked.item)]
        item = item.with_(belief=belief_after_solving(item))
        if self.policy == "evidence" and item.tier != Tier.REVIEWED and (why := explain_dispute(item)):
            item = item.with_(tier=Tier.DISPUTED, tier_reason=why)
            return [ProblemRejected.of(event, ROLE, item, calls, reason="key_disputed", detail=why)]
        audit = await self.audit_judge(event, item) if self.audit_judge else None
        checked = SolutionChecked.of(event, ROLE, item=item, calls=calls, final=True)
        return [checked, audit] if audit else [checked]

    async def _check(self, event: SolutionSynthesized) -> tuple[Item, tuple[Provenance, ...]]:
        """Return the item with every attempt checked, the new one and an imported one, and the calls made for it."""
        item, calls = event.item.with_(attempts=()), tuple[Provenance, ...]()
        for attempt in (*event.item.attempts, event.attempt):
            if attempt.agrees is None:
                comparison = await self._compare(attempt, item)
                flaws = find_flaws(attempt, item.written.statement)
                attempt = attempt.with_(agrees=comparison.agrees, method=comparison.method, flaws=flaws)
                calls += comparison.calls
            item = item.with_(attempts=(*item.attempts, attempt))
        return item, calls

    async def _compare(self, attempt: Attempt, item: Item) -> Comparison:
        if fault := next((flaw for flaw in attempt.flaws if flaw in FAULTS), None):
            return Comparison("unsure", fault)
        if attempt.answer is None:
            return Comparison("unsure", "no_answer")
        if known := next((one for one in item.attempts if one.answer == attempt.answer and one.agrees), None):
            return Comparison(known.agrees or "unsure", known.method or "", "the same answer was compared before")
        key = item.written
        return await self.grader.compare(key.answer, attempt.answer, key.answer_type, key.statement)

    def _needs_more(self, item: Item) -> bool:
        return len(item.own_attempts) < self.traces + (0 if _hits_key(item) else self.retries)


def explain_dispute(item: Item) -> str:
    """Explain in a sentence why the solver's answer disputes the key; empty when it does not."""
    if _hits_key(item):
        return ""
    for attempt in item.own_attempts:
        if attempt.answer is not None and attempt.agrees == "no" and not attempt.flaws:
            blind = [answer for verdict in item.verdicts for answer in wrong(verdict) if agree(answer, attempt.answer)]
            if blind:
                return f"the solver found {attempt.answer!r}, as did {len(blind)} of the blind votes, and never the key"
    return ""


def _hits_key(item: Item) -> bool:
    return any(attempt.agrees == "yes" for attempt in item.own_attempts)
