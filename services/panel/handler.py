"""Joins the first verdict of each verifier on the same problem text, and decides once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ConfigDict, Field

from schemas.config.policies import View
from schemas.events import Event, ProblemAccepted, ProblemRejected, ProblemVerified
from schemas.flow import VERIFIERS
from schemas.item import Step, Verdict
from schemas.model import Model
from services.panel.by_belief import by_belief, is_enough
from services.panel.tiers import POLICIES, find_easy
from shared.errors import Superseded
from shared.stats.belief_model import Parameters
from shared.stats.item_belief import DEFAULTS, item_belief

BELIEF_AGAIN = 0.9
"""Belief that a stored item needs when it is verified again and the plan has no target for wrong keys."""


class ReceivedVerdict(Model):
    """Verdict of one verifier, and its part of the item's lineage."""

    verdict: Verdict
    lineage: tuple[Step, ...]


class JoinState(Model):
    """State of one problem: the first verdict of each role, then the decision, then a tombstone."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    problem_hash: str
    received: tuple[ReceivedVerdict, ...] = Field((), validation_alias="heard", serialization_alias="heard")
    """Under the name that earlier versions wrote to the changelog."""
    accepted: ProblemAccepted | None = None
    rejected: ProblemRejected | None = None
    published: bool = False
    """Whether the decision is on the log."""

    @property
    def decision(self) -> Event | None:
        return self.accepted or self.rejected


@dataclass(frozen=True, slots=True)
class JoinVerdicts:
    """Accepts items of `tiers`; rejects items of other tiers, which stay in the ledger."""

    tiers: Collection[str]
    policy: str = "evidence"
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    """By view, the belief that it needs; empty: tiers decide."""
    accept: Mapping[View, Collection[str]] = field(default_factory=dict)
    """Tiers by view, for decisions by belief."""
    parameters: Parameters = DEFAULTS
    reject_easy: bool = False
    """Whether a problem that a judge calls too easy is rejected."""

    def __call__(self, case: bytes | None, event: ProblemVerified) -> tuple[bytes, Iterable[Event], bytes]:
        """Fold a verdict into the state. Returns the state to store, the events to publish, and the state after that.

        A published decision leaves a tombstone with the hash of the problem's text. Raises Superseded for a verdict
        about another text than that of the first one.
        """
        verdict = event.verdict
        state = JoinState.model_validate_json(case) if case else JoinState(problem_hash=verdict.problem_hash)
        if state.problem_hash != verdict.problem_hash:
            raise Superseded(f"{verdict.role} judged another text than the first verdict")
        if case and state.published:
            return case, [], case
        if state.decision is None and verdict.role not in {one.verdict.role for one in state.received}:
            state = self._receive(state, event)
        stored = state.model_dump_json().encode()
        if state.decision is None:
            return stored, [], stored
        tombstone = JoinState(problem_hash=state.problem_hash, published=True)
        return stored, [state.decision], tombstone.model_dump_json(exclude_unset=True).encode()

    def _receive(self, case: JoinState, event: ProblemVerified) -> JoinState:
        received = (*case.received, ReceivedVerdict(verdict=event.verdict, lineage=event.item.lineage))
        if {each.verdict.role for each in received} != set(VERIFIERS):
            return case.with_(received=received)
        decision = self._decide(received, event)
        if isinstance(decision, ProblemAccepted):
            return JoinState(problem_hash=case.problem_hash, accepted=decision)
        return JoinState(problem_hash=case.problem_hash, rejected=decision)

    def _decide(self, received: Sequence[ReceivedVerdict], event: ProblemVerified) -> ProblemAccepted | ProblemRejected:
        ordered = sorted(received, key=lambda each: each.verdict.role)
        before = {verdict.role: verdict for verdict in event.item.verdicts}
        verdicts = tuple(_append(before.get(each.verdict.role), each.verdict) for each in ordered)
        steps = tuple(dict.fromkeys(step for each in ordered for step in each.lineage))
        thresholds = self._thresholds(again=bool(before))
        belief = item_belief(verdicts, event.item.written, self.parameters, thresholds)
        if thresholds:
            finding = by_belief(verdicts, belief, self.accept)
        else:
            writers = event.item.with_(lineage=steps).writer_names()
            finding = POLICIES[self.policy](verdicts, event.item.written, writers)
        if self.reject_easy and finding.tier in self.tiers:
            finding = find_easy(verdicts) or finding
        item = event.item.with_(
            verdicts=verdicts, lineage=steps, tier=finding.tier, tier_reason=finding.detail, belief=belief
        )
        if finding.tier in self.tiers and (not thresholds or is_enough(finding.tier, belief, self.accept)):
            return ProblemAccepted.of(event, "panel", item)
        return ProblemRejected.of(event, "panel", item, reason=finding.reason, detail=finding.detail)

    def _thresholds(self, *, again: bool) -> Mapping[str, float | None]:
        """Return the belief that each view needs; empty where tiers decide.

        The rules of tiers count votes up to a limit, so for an item with the votes of more verifiers belief decides.
        """
        if again and not self.thresholds and self.policy == "evidence":
            return dict.fromkeys(self.accept, BELIEF_AGAIN)
        return self.thresholds


def _append(before: Verdict | None, verdict: Verdict) -> Verdict:
    """Return a verdict with the votes of an earlier one of the same role first; a missing judgement is the earlier one.

    Only stored problems that are verified again have earlier verdicts.
    """
    if before is None:
        return verdict
    judgement = verdict.judgement or before.judgement
    unable = None if judgement else verdict.unable
    return verdict.with_(votes=(*before.votes, *verdict.votes), judgement=judgement, unable=unable)
