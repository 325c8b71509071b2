"""Measures the judge of answers: a share of the finished items brings it a pair whose verdict is known.

The pair is one that the rules decided, a model's own answer beside the key, or else a planted one: the key in other
words, or with one change. What the judge finds ends as `audit.judged`, apart from the audits of problems.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from schemas.audit_tag import JUDGE_DIFFERENT, JUDGE_EQUAL, AuditTag
from schemas.events import AuditJudged, Event
from schemas.identity import derive
from schemas.item import Agreement, Item
from shared.answers.planted import altered, reworded
from shared.audit_items import NOTICED, PASSED, UNABLE, not_judged
from shared.errors import OverBudget
from shared.ports import Comparison, TaggedEvent

ROLE = "answer_checker"
CHECK = "judge"
"""Name of the check among those of an audit item."""


@dataclass(frozen=True, slots=True)
class AuditJudge:
    """`rate` of the finished items; the dice are seeded by the item's id, so that a repetition audits the same."""

    judge: Callable[[str, str, str], Awaitable[Comparison]]
    rate: float

    async def __call__(self, event: Event, item: Item) -> TaggedEvent | None:
        """The audit of the judge, if this item brings one. Raises Transient when the judge cannot be reached."""
        dice = Random(derive(item.id, "audit/judge").int)  # noqa: S311 - repeatable, not secret
        if dice.random() >= self.rate:
            return None
        equal = dice.random() < 0.5
        answer = _answer(item, equal, dice)
        if answer is None:
            return None
        problem = item.written
        kind = JUDGE_EQUAL if equal else JUDGE_DIFFERENT
        audited = Item(id=derive(item.id, f"audit/{kind}"), plan=item.plan, topic=item.topic, problem=problem)
        mark = AuditTag(kind=kind, source=item.id)
        try:
            found = await self.judge(problem.statement, problem.answer, answer)
        except OverBudget as error:
            return TaggedEvent(not_judged(event, ROLE, audited, mark, str(error)), mark)
        judged = AuditJudged.of(
            event,
            ROLE,
            audited,
            found.calls,
            mark=mark,
            accepted=found.agrees == "yes",
            reason=f"judged {found.agrees}",
            detail=f"key {problem.answer!r}, answer {answer!r}: {found.reason}",
            found={CHECK: {"yes": PASSED, "no": NOTICED, "unsure": UNABLE}[found.agrees]},
        )
        return TaggedEvent(judged, mark)


def _answer(item: Item, equal: bool, dice: Random) -> str | None:
    """An answer on record that the rules decided, written in another way than the key; else a planted one."""
    wanted: Agreement = "yes" if equal else "no"
    votes = [(vote.answer, vote.agrees, vote.method) for verdict in item.verdicts for vote in verdict.votes]
    votes += [(one.answer, one.agrees or "unsure", one.method or "") for one in item.attempts]
    key = item.written.answer
    natural = sorted({a for a, agrees, by in votes if a and a != key and agrees == wanted and by != CHECK})
    if natural:
        return dice.choice(natural)
    return reworded(key, dice) if equal else altered(item.written, dice)
