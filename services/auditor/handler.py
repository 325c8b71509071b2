"""Breaks accepted problems in natural and in known ways, and sends them through the checks again: who notices?

Everything is chosen by dice that the item's id seeds: the same item is audited in the same way, whoever does it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from schemas.audit_tag import AuditTag
from schemas.events import SolutionChecked
from schemas.identity import derive
from schemas.item import Item, Problem, Topic
from services.auditor import controls
from services.auditor.controls import Vetted
from services.auditor.inject import PlannedAudit, inject
from services.auditor.planted_errors import BENCHMARK_ITEM, FORMS, GROUPS, OFF_TOPIC, benchmark_items
from services.auditor.rival_answers import difficulty, rival_answer
from shared.ports import Grader, TaggedEvent

TIERS = ("verified", "plausible", "nodded")
"""What is known to be good, as far as the checks can tell."""
CONTROLS = 0.5
"""Controls for each broken item."""
NATURAL = 0.5
"""Chance that an item with wrong answers on record is broken by one of them; with controls a third of its audits."""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """`rate` of the accepted items are audited: each broken once, and for every second one a control."""

    grader: Grader
    rate: float
    subjects: Sequence[str]
    vetted: Sequence[Vetted] = ()
    questions: Sequence[str] = ()
    """Of benchmarks, for audits that hand one in as a new problem."""

    async def __call__(self, event: SolutionChecked) -> Iterable[TaggedEvent]:
        dice = _dice(event.item, "drawn")
        if not _good(event) or dice.random() >= self.rate:
            return []
        audits = [await self._broken(event.item)]
        if dice.random() < CONTROLS:
            audits.append(self._control(event.item, dice))
        return [inject(event, audit) for audit in audits]

    async def _broken(self, item: Item) -> PlannedAudit:
        """The first of the defects whose key is still right, or another one for sure."""
        for audit in self._defects(item, _dice(item, "broken")):
            if audit.mark.kind == "natural" or await self._kept_or_wrong(item.written, audit.problem.answer):
                return audit
        raise AssertionError("some defects apply to every problem")

    def _defects(self, item: Item, dice: Random) -> Iterator[PlannedAudit]:
        """Every defect that applies, in the order of the dice."""
        natural = rival_answer(item)
        if natural and dice.random() < NATURAL:
            yield _audit(item, "natural", item.written.with_(answer=natural), item.topic)
        groups = [*GROUPS, benchmark_items(self.questions)] if self.questions else [*GROUPS]
        for group in dice.sample(groups, len(groups)):
            for kind in dice.sample(list(group), len(group)):
                topic = self._elsewhere(item.topic, dice) if kind == OFF_TOPIC else item.topic
                broken = group[kind](item.written, dice)
                if broken and topic:
                    yield _audit(item, kind, broken, topic)

    async def _kept_or_wrong(self, problem: Problem, answer: str) -> bool:
        if answer == problem.answer:
            return True
        return (await self.grader.compare(problem.answer, answer, problem.answer_type)).agrees == "no"

    def _elsewhere(self, topic: Topic, dice: Random) -> Topic | None:
        others = [subject for subject in self.subjects if subject != topic.subject]
        return topic.with_(subject=dice.choice(others)) if others else None

    def _control(self, item: Item, dice: Random) -> PlannedAudit:
        kinds = [lambda: controls.row(item)]
        if "mathematics" in self.subjects:
            kinds.append(lambda: controls.exactly(dice))
        if self.vetted:
            kinds.append(lambda: controls.vetted(dice.choice(self.vetted)))
        return dice.choice(kinds)()


def _dice(item: Item, purpose: str) -> Random:
    return Random(derive(item.id, f"audit/{purpose}").int)  # noqa: S311 - repeatable, not secret


def _good(event: SolutionChecked) -> bool:
    """Whether it is through all checks, with a sound solution that lands on the key."""
    item = event.item
    landed = any(attempt.agrees == "yes" and not attempt.flaws for attempt in item.attempts)
    return event.final and item.tier in TIERS and landed


def _audit(item: Item, kind: str, problem: Problem, topic: Topic) -> PlannedAudit:
    mark = AuditTag(kind=kind, source=item.id, difficulty=difficulty(item))
    return PlannedAudit(mark, problem, topic, screening=kind in FORMS or kind == BENCHMARK_ITEM)
