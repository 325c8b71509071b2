"""Sends accepted problems with planted errors through the checks again, to measure how many errors they miss.

All choices are seeded by the item's id, so a repetition audits the same item in the same way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from schemas.audit_tag import AuditTag
from schemas.events import SolutionChecked
from schemas.identity import derive
from schemas.item import Item, Problem, Topic
from schemas.outcomes import Tier
from services.auditor import controls
from services.auditor.controls import Vetted
from services.auditor.inject import PlannedAudit, inject
from services.auditor.planted_errors import BENCHMARK_ITEM, FORMS, GROUPS, OFF_TOPIC, benchmark_items
from services.auditor.rival_answers import difficulty, rival_answer
from shared.ports import Grader, TaggedEvent

TIERS = (Tier.VERIFIED, Tier.PLAUSIBLE, Tier.JUDGE_ONLY)
"""Tiers of items that the checks consider good."""
CONTROLS_PER_AUDIT = 0.5
"""Controls for each item with a planted error."""
NATURAL_CHANCE = 0.5
"""Probability that an item with recorded wrong answers gets one of them as its key; a third of its audits."""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """Audits the share `rate` of accepted items: each gets one planted error, every second one a control too."""

    grader: Grader
    rate: float
    subjects: Sequence[str]
    vetted: Sequence[Vetted] = ()
    questions: Sequence[str] = ()
    """Questions of benchmarks, for audits that submit one as a new problem."""

    async def __call__(self, event: SolutionChecked) -> Iterable[TaggedEvent]:
        rng = _seeded_random(event.item, "drawn")
        if not _is_known_good(event) or rng.random() >= self.rate:
            return []
        audits = [await self._plant_error(event.item)]
        if rng.random() < CONTROLS_PER_AUDIT:
            audits.append(self._control(event.item, rng))
        return [inject(event, audit) for audit in audits]

    async def _plant_error(self, item: Item) -> PlannedAudit:
        """Return the first candidate whose key is unchanged or certainly wrong."""
        for audit in self._candidates(item, _seeded_random(item, "broken")):
            if audit.tag.kind == "natural" or await self._kept_or_wrong(item.written, audit.problem.answer):
                return audit
        raise AssertionError("some planted errors apply to every problem")

    def _candidates(self, item: Item, rng: Random) -> Iterator[PlannedAudit]:
        """Yield every planted error that applies, in random order."""
        natural = rival_answer(item)
        if natural and rng.random() < NATURAL_CHANCE:
            yield _plan(item, "natural", item.written.with_(answer=natural), item.topic)
        groups = [*GROUPS, benchmark_items(self.questions)] if self.questions else [*GROUPS]
        for group in rng.sample(groups, len(groups)):
            for kind in rng.sample(list(group), len(group)):
                topic = self._other_subject(item.topic, rng) if kind == OFF_TOPIC else item.topic
                broken = group[kind](item.written, rng)
                if broken and topic:
                    yield _plan(item, kind, broken, topic)

    async def _kept_or_wrong(self, problem: Problem, answer: str) -> bool:
        if answer == problem.answer:
            return True
        return (await self.grader.compare(problem.answer, answer, problem.answer_type)).agrees == "no"

    def _other_subject(self, topic: Topic, rng: Random) -> Topic | None:
        others = [subject for subject in self.subjects if subject != topic.subject]
        return topic.with_(subject=rng.choice(others)) if others else None

    def _control(self, item: Item, rng: Random) -> PlannedAudit:
        kinds = [lambda: controls.row_control(item)]
        if "mathematics" in self.subjects:
            kinds.append(lambda: controls.exact_control(rng))
        if self.vetted:
            kinds.append(lambda: controls.vetted_control(rng.choice(self.vetted)))
        return rng.choice(kinds)()


def _seeded_random(item: Item, purpose: str) -> Random:
    return Random(derive(item.id, f"audit/{purpose}").int)  # noqa: S311 - repeatable, not secret


def _is_known_good(event: SolutionChecked) -> bool:
    """Whether the item passed all checks and has a sound solution that hits the key."""
    item = event.item
    is_solved = any(attempt.agrees == "yes" and not attempt.flaws for attempt in item.attempts)
    return event.final and item.tier in TIERS and is_solved


def _plan(item: Item, kind: str, problem: Problem, topic: Topic) -> PlannedAudit:
    tag = AuditTag(kind=kind, source=item.id, difficulty=difficulty(item))
    return PlannedAudit(tag, problem, topic, screening=kind in FORMS or kind == BENCHMARK_ITEM)
