"""Joins the first verdict of each verifier on the same problem text, and decides once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemAccepted, ProblemRejected, ProblemVerified
from schemas.item import Step, Verdict
from schemas.model import Model
from services.panel.tiers import POLICIES
from shared.errors import Invalid

ROLES = ("verifier-a", "verifier-b")


class ReceivedVerdict(Model):
    """What one verifier said, and its part of the item's lineage."""

    verdict: Verdict
    lineage: tuple[Step, ...]


class JoinState(Model):
    """State of one problem: what was heard first from each role, then the decision, and for ever that it was made."""

    problem_hash: str
    heard: tuple[ReceivedVerdict, ...] = ()
    accepted: ProblemAccepted | None = None
    rejected: ProblemRejected | None = None
    published: bool = False
    """The decision is on the log."""

    @property
    def decision(self) -> Event | None:
        return self.accepted or self.rejected


@dataclass(frozen=True, slots=True)
class JoinVerdicts:
    """`tiers` are those that go on; items of another tier are rejected and stay queryable."""

    tiers: Collection[str]
    policy: str = "evidence"

    def __call__(self, case: bytes | None, event: ProblemVerified) -> tuple[bytes, Iterable[Event], bytes]:
        """Fold a verdict into the case; once published, a decision leaves no more than the hash of its text.

        Raises Invalid when the verdict speaks about another text than the first one did.
        """
        verdict = event.verdict
        known = JoinState.model_validate_json(case) if case else JoinState(problem_hash=verdict.problem_hash)
        if known.problem_hash != verdict.problem_hash:
            raise Invalid(f"{verdict.role} judged another text than was judged before")
        if case and known.published:
            return case, [], case
        if known.decision is None and verdict.role not in {heard.verdict.role for heard in known.heard}:
            known = self._receive(known, event)
        kept = known.model_dump_json().encode()
        if known.decision is None:
            return kept, [], kept
        rest = JoinState(problem_hash=known.problem_hash, published=True)
        return kept, [known.decision], rest.model_dump_json(exclude_unset=True).encode()

    def _receive(self, case: JoinState, event: ProblemVerified) -> JoinState:
        heard = (*case.heard, ReceivedVerdict(verdict=event.verdict, lineage=event.item.lineage))
        if {each.verdict.role for each in heard} != set(ROLES):
            return case.with_(heard=heard)
        decision = self._decide(heard, event)
        if isinstance(decision, ProblemAccepted):
            return JoinState(problem_hash=case.problem_hash, accepted=decision)
        return JoinState(problem_hash=case.problem_hash, rejected=decision)

    def _decide(self, heard: tuple[ReceivedVerdict, ...], event: ProblemVerified) -> ProblemAccepted | ProblemRejected:
        ordered = sorted(heard, key=lambda each: each.verdict.role)
        verdicts = tuple(each.verdict for each in ordered)
        steps = tuple(dict.fromkeys(step for each in ordered for step in each.lineage))
        finding = POLICIES[self.policy](verdicts, event.item.written, event.item.writer)
        item = event.item.with_(verdicts=verdicts, lineage=steps, tier=finding.tier, tier_reason=finding.detail)
        if finding.tier in self.tiers:
            return ProblemAccepted.of(event, "panel", item)
        return ProblemRejected.of(event, "panel", item, reason=finding.reason, detail=finding.detail)
