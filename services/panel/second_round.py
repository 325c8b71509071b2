"""Which evidence to request while belief leaves a key undecided, and verdicts with what was given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.events import EvidenceGiven, EvidenceRequested
from schemas.flow import ADJUDICATOR, VERIFIERS
from schemas.item import Adjudication, Item, Judgement, Step, Verdict, Vote, adjudications_in
from schemas.model import Model
from schemas.outcomes import EvidenceKind
from shared.answers.normal import text_form
from shared.answers.rivals import Rival
from shared.stats.belief import belief
from shared.stats.belief_model import Evidence, Parameters
from shared.stats.evidence_choice import REJECT_BELOW, Limits, Offer, next_offer, offers
from shared.stats.item_belief import candidates, evidence_of

COMPARED_RIVALS = 16
"""Most rival answers that a later vote is compared with."""
NOTHING = Limits(max_votes=0)


class Given(Model):
    """One piece of evidence of the second round, and its steps of the item's lineage."""

    kind: str
    role: str
    vote: Vote | None = None
    judgement: Judgement | None = None
    unable: str | None = None
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, event: EvidenceGiven) -> "Given":
        """Keep what a decision needs."""
        about = {"kind": event.kind, "role": event.role, "steps": event.item.lineage[-2:]}
        return cls(**about, vote=event.vote, judgement=event.judgement, unable=event.unable)


def with_given(verdict: Verdict, given: Iterable[Given]) -> Verdict:
    """The verdict with the later votes of its verifier, and its later judgement."""
    for one in given:
        if one.role != verdict.role:
            continue
        if one.vote:
            seen = len(verdict.votes) if verdict.judged_votes is None else verdict.judged_votes
            verdict = verdict.with_(votes=(*verdict.votes, one.vote), judged_votes=seen)
        elif one.judgement:
            verdict = verdict.with_(judgement=one.judgement, unable=None, judged_votes=None)
    return verdict


@dataclass(frozen=True, slots=True)
class Deliberation:
    """Everything known about one key: both verdicts with later evidence, and what was given."""

    item: Item
    """As it was screened."""
    verdicts: Sequence[Verdict]
    given: Sequence[Given]

    @property
    def adjudications(self) -> tuple[Adjudication, ...]:
        """Those of a stored item that is verified again come first."""
        return adjudications_in((*self.item.lineage, *(step for one in self.given for step in one.steps)))

    def count(self, kind: str, role: str) -> int:
        """How often a kind of evidence was requested from a role."""
        return sum((one.kind, one.role) == (kind, role) for one in self.given)

    def request(
        self, parameters: Parameters, thresholds: Mapping[str, float | None], limits: Limits
    ) -> EvidenceRequested | None:
        """Request what decides most; `None` where belief is below β, no threshold can be met, or nothing is offered.

        A key whose belief reaches the threshold still lacks a vote by each verifier, or a hit: only votes help.
        """
        threshold = min((one for one in thresholds.values() if one is not None), default=None)
        if threshold is None:
            return None
        against = candidates(self.verdicts)
        evidence = evidence_of(self.verdicts, self.item.written, self.adjudications)
        believed = belief(evidence, parameters).key
        if believed < REJECT_BELOW:
            return None
        offered = tuple(self._offers(evidence, against, limits))
        votes = [offer for offer in offered if offer.kind == EvidenceKind.VOTE]
        silent = (offer for offer in votes if not self._has_answered(offer.verifier))
        offer = next(silent, None) or next_offer(evidence, parameters, votes if believed >= threshold else offered)
        return self._build(offer, against) if offer else None

    def _offers(self, evidence: Evidence, against: Sequence[Rival], limits: Limits) -> Iterable[Offer]:
        left = limits.max_votes - sum(len(verdict.votes) for verdict in self.verdicts)
        no_adjudicator = any(one.kind == EvidenceKind.ADJUDICATION and one.unable for one in self.given)
        now = Limits(evidence.votes.total + max(0, left), 0 if no_adjudicator else limits.adjudications)
        key = text_form(self.item.written.answer)
        for offer in offers(evidence, now):
            if offer.kind != EvidenceKind.ADJUDICATION or text_form(against[offer.rival].answer) != key:
                yield offer
        if limits.max_votes:
            for index, verdict in enumerate(self.verdicts):
                if verdict.judgement is None and not self.count(EvidenceKind.JUDGEMENT, VERIFIERS[index]):
                    yield Offer(EvidenceKind.JUDGEMENT, index)

    def _has_answered(self, verifier: int) -> bool:
        return any(vote.answer is not None for vote in self.verdicts[verifier].votes)

    def _build(self, offer: Offer, against: Sequence[Rival]) -> EvidenceRequested:
        role = ADJUDICATOR if offer.kind == EvidenceKind.ADJUDICATION else VERIFIERS[offer.verifier]
        number = self.count(offer.kind, role)
        if offer.kind == EvidenceKind.ADJUDICATION:
            rival = against[offer.rival]
            repetition = sum(one.rival in rival.answers for one in self.adjudications)
            about = {"candidates": (rival.answer,), "repetition": repetition}
        elif offer.kind == EvidenceKind.VOTE:
            answers = dict.fromkeys(answer for rival in against for answer in rival.answers)
            about = {"candidates": tuple(answers)[:COMPARED_RIVALS]}
        else:
            about = {"votes": self.verdicts[offer.verifier].votes}
        return EvidenceRequested.numbered(self.item, offer.kind, role, number, **about)
