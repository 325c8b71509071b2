"""Joins the evidence on one problem text: the first verdict of each verifier, then what is requested. Decides once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import ConfigDict, Field

from schemas.config.policies import View
from schemas.events import (
    Event,
    EvidenceGiven,
    EvidenceRequested,
    ProblemAccepted,
    ProblemProbed,
    ProblemRejected,
    ProblemVerified,
)
from schemas.flow import VERIFIERS
from schemas.item import Step, Verdict
from schemas.model import Model, added
from services.panel.by_belief import by_belief, is_enough
from services.panel.criteria import Criteria, LatestEstimate
from services.panel.second_round import NOTHING, Deliberation, Given, with_given
from services.panel.tiers import POLICIES, find_easy
from shared.errors import Superseded
from shared.ports import Forwarded
from shared.stats.belief_model import Parameters
from shared.stats.evidence_choice import Limits
from shared.stats.item_belief import DEFAULTS, item_belief

BELIEF_AGAIN = 0.9
"""Belief that a stored item needs when it is verified again and the plan has no target for wrong keys."""


class ReceivedVerdict(Model):
    """Verdict of one verifier, and its part of the item's lineage."""

    verdict: Verdict
    lineage: tuple[Step, ...]


class JoinState(Model):
    """State of one problem: the first verdict of each role, later evidence, then the decision, then a tombstone."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    problem_hash: str
    received: tuple[ReceivedVerdict, ...] = Field((), validation_alias="heard", serialization_alias="heard")
    """Under the name that earlier versions wrote to the changelog."""
    given: tuple[Given, ...] | None = added()
    """Evidence of the second round; `None`: none."""
    request: EvidenceRequested | None = added()
    """The evidence that is outstanding. While there is one, nothing is decided."""
    criteria: Criteria | None = added()
    """By which more evidence was requested; `None`: by the default parameters. Later estimates do not change them."""
    accepted: ProblemAccepted | None = None
    rejected: ProblemRejected | None = None
    published: bool = False
    """Whether the decision is on the log."""

    @property
    def decision(self) -> ProblemAccepted | ProblemRejected | None:
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
    limits: Limits = NOTHING
    """How much evidence may be requested where belief leaves a key undecided."""
    latest: LatestEstimate = field(default_factory=LatestEstimate)
    """Criteria of decisions that begin now, instead of `parameters` and `thresholds`."""
    to_probe: bool = True
    """Whether accepted problems go to probe. Otherwise they go to synthesis, as the event that probe would publish."""

    def __call__(
        self, case: bytes | None, event: ProblemVerified | EvidenceGiven
    ) -> tuple[bytes, Iterable[Event | Forwarded], bytes]:
        """Fold evidence into the state. Returns the state to store, the events to publish, and the state after that.

        A published decision leaves a tombstone with the hash of the problem's text. A request stays in the state until
        it is answered, and is published again when an event is repeated. Raises Superseded for evidence on another text
        than that of the first verdict.
        """
        problem_hash = event.verdict.problem_hash if isinstance(event, ProblemVerified) else event.problem_hash
        state = JoinState.model_validate_json(case) if case else JoinState(problem_hash=problem_hash)
        if state.problem_hash != problem_hash:
            role = event.verdict.role if isinstance(event, ProblemVerified) else event.role
            raise Superseded(f"{role} judged another text than the first verdict")
        if case and state.published:
            return case, [], case
        if state.decision is None:
            state = self._receive(state, event)
        stored = state.model_dump_json().encode()
        if state.decision is None:
            return stored, [state.request] if state.request else [], stored
        tombstone = JoinState(problem_hash=state.problem_hash, published=True)
        return stored, [self._output(state.decision)], tombstone.model_dump_json(exclude_unset=True).encode()

    def _output(self, decision: ProblemAccepted | ProblemRejected) -> Event | Forwarded:
        """Return what is published. The state has the decision, so the plan may change before it is repeated."""
        if self.to_probe or isinstance(decision, ProblemRejected):
            return decision
        return Forwarded(decision, ProblemProbed.without_attempts(decision))

    def _receive(self, case: JoinState, event: ProblemVerified | EvidenceGiven) -> JoinState:
        """With the evidence, unless it was received before or nobody requested it; then the decision or a request."""
        if isinstance(event, ProblemVerified):
            if event.verdict.role in {one.verdict.role for one in case.received}:
                return case
            received = ReceivedVerdict(verdict=event.verdict, lineage=event.item.lineage)
            case = case.with_(received=(*case.received, received))
        else:
            if case.request is None or event.cause.parent != case.request.id:
                return case
            case = case.with_(given=(*(case.given or ()), Given.of(event)), request=None)
        if {each.verdict.role for each in case.received} != set(VERIFIERS):
            return case
        return self._decide(case, event)

    def _decide(self, case: JoinState, event: ProblemVerified | EvidenceGiven) -> JoinState:
        ordered, given = sorted(case.received, key=lambda each: each.verdict.role), case.given or ()
        before = {verdict.role: verdict for verdict in event.item.verdicts}
        verdicts = tuple(with_given(_append(before.get(each.verdict.role), each.verdict), given) for each in ordered)
        own_steps = 1 if isinstance(event, ProblemVerified) else 2
        screened = event.item.with_(lineage=event.item.lineage[:-own_steps])
        known = Deliberation(screened, verdicts, given)
        first_steps = (step for each in ordered for step in each.lineage)
        steps = tuple(dict.fromkeys((*first_steps, *(step for one in given for step in one.steps))))
        criteria = case.criteria if case.given else self.latest.criteria
        parameters, thresholds = self._in_force(criteria, again=bool(before))
        belief = item_belief(verdicts, screened.written, parameters, thresholds, known.adjudications)
        if thresholds:
            finding = by_belief(verdicts, belief, self.accept)
        else:
            writers = screened.with_(lineage=steps).writer_names()
            finding = POLICIES[self.policy](verdicts, screened.written, writers)
        easy = find_easy(verdicts) if self.reject_easy else None
        if easy and finding.tier in self.tiers:
            finding = easy
        enough = finding.tier in self.tiers and (not thresholds or is_enough(finding.tier, belief, self.accept))
        if not (enough or finding.final or easy):
            # a stored item had its votes before: only an adjudicator may still decide
            limits = replace(self.limits, max_votes=0) if before else self.limits
            if request := known.request(parameters, thresholds, limits):
                return case.with_(request=request, criteria=criteria)
        item = screened.with_(
            verdicts=verdicts, lineage=steps, tier=finding.tier, tier_reason=finding.detail, belief=belief
        )
        if enough:
            accepted = ProblemAccepted.of(event, "panel", item)
            return JoinState(problem_hash=case.problem_hash, accepted=accepted)
        rejected = ProblemRejected.of(event, "panel", item, reason=finding.reason, detail=finding.detail)
        return JoinState(problem_hash=case.problem_hash, rejected=rejected)

    def _in_force(self, criteria: Criteria | None, *, again: bool) -> tuple[Parameters, Mapping[str, float | None]]:
        """Return the parameters of belief, and the belief that each view needs; nothing where tiers decide.

        The rules of tiers count votes up to a limit, so for an item with the votes of more verifiers belief decides.
        """
        if criteria:
            return Parameters.of(criteria.parameters), criteria.thresholds
        if again and not self.thresholds and self.policy == "evidence":
            return self.parameters, dict.fromkeys(self.accept, BELIEF_AGAIN)
        return self.parameters, self.thresholds


def _append(before: Verdict | None, verdict: Verdict) -> Verdict:
    """Return a verdict with the votes of an earlier one of the same role first; a missing judgement is the earlier one.

    Only stored problems that are verified again have earlier verdicts.
    """
    if before is None:
        return verdict
    judgement = verdict.judgement or before.judgement
    unable = None if judgement else verdict.unable
    return verdict.with_(votes=(*before.votes, *verdict.votes), judgement=judgement, unable=unable)
