"""The piece of evidence to request next: what can still be requested, and what it is expected to decide per cost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from schemas.outcomes import EvidenceKind
from shared.stats.belief import belief, truth_weights
from shared.stats.belief_model import KEY, Adjudication, Belief, Evidence, JudgeResult, Parameters, Votes

REJECT_BELOW = 0.3
"""β: belief below which a key is given up."""
SAME_PAIR = 2
"""Adjudications of one pair: once in each order."""
ADJUDICATED_RIVALS = 5
"""Rivals that may be adjudicated: the strongest ones."""


class Offer(NamedTuple):
    """Evidence that can be requested."""

    kind: EvidenceKind
    verifier: int = 0
    """Of a vote or a judgement."""
    rival: int = 0
    """Of an adjudication: the candidate beside the key."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much evidence may be requested on one key."""

    max_votes: int = 8
    """Blind votes of all verifiers together."""
    adjudications: int = 0
    """Blind adjudications; none without an adjudicator."""


def offers(evidence: Evidence, limits: Limits) -> Iterator[Offer]:
    """What can still be requested: votes, first of the verifier with fewest, and adjudications of rivals."""
    votes = evidence.votes
    if votes.total < limits.max_votes:
        counts = votes.by_verifier
        fewest_first = sorted(range(len(counts)), key=lambda index: counts[index])
        yield from (Offer(EvidenceKind.VOTE, index) for index in fewest_first)
    if len(evidence.adjudications) < limits.adjudications:
        strongest = sorted(range(len(votes.rivals)), key=lambda index: -sum(votes.rivals[index]))[:ADJUDICATED_RIVALS]
        seen = Counter(index for one in evidence.adjudications for index in one.pair)
        yield from (Offer(EvidenceKind.ADJUDICATION, rival=index) for index in strongest if seen[index] < SAME_PAIR)


def choose_evidence(evidence: Evidence, parameters: Parameters, costs: Mapping[Offer, float]) -> Offer:
    """The offer with the largest expected reduction of misclassification per cost; the earlier one of equals.

    Misclassification is the Gini impurity p(1-p): the chance that an item drawn by the belief is on the wrong side.
    Unlike min(p, 1-p) it values a vote that alone decides nothing, but brings a decision nearer.
    """
    now = belief(evidence, parameters)

    def reduction(offer: Offer) -> float:
        results = [(chance, belief(one, parameters).key) for chance, one in outcomes(evidence, parameters, offer, now)]
        expected = sum(chance * _impurity(believed) for chance, believed in results)
        return round((_impurity(now.key) - expected) / costs[offer], 12)

    return max(costs, key=reduction)


def next_offer(
    evidence: Evidence,
    parameters: Parameters,
    offered: Iterable[Offer],
    threshold: float = inf,
    reject_below: float = REJECT_BELOW,
) -> Offer | None:
    """What to request next, where every offer costs one call; `None` where nothing is offered, or belief decides.

    It decides from the threshold τ upwards, and below β.
    """
    costs = dict.fromkeys(offered, 1.0)
    if not costs or not reject_below <= belief(evidence, parameters).key < threshold:
        return None
    return choose_evidence(evidence, parameters, costs)


def _impurity(believed: float) -> float:
    return believed * (1 - believed)


def outcomes(
    evidence: Evidence, parameters: Parameters, offer: Offer, now: Belief | None = None
) -> list[tuple[float, Evidence]]:
    """What may come of an offer, where belief is `now`: chances that add up to 1, and the evidence afterwards."""
    now = now or belief(evidence, parameters)
    if offer.kind == EvidenceKind.JUDGEMENT:
        rates = parameters.judge
        return [
            (
                now.key * rates.chance(passed=passed, right=True)
                + (1 - now.key) * rates.chance(passed=passed, right=False),
                evidence._replace(judgements=(*evidence.judgements, JudgeResult(passed))),
            )
            for passed in (True, False)
        ]
    if offer.kind == EvidenceKind.ADJUDICATION:
        return [
            (chance, evidence._replace(adjudications=(*evidence.adjudications, Adjudication((KEY, offer.rival), one))))
            for one, chance in _adjudication_chances(now, offer.rival, parameters.adjudicator).items()
        ]
    one = tuple(int(index == offer.verifier) for index in range(len(evidence.votes.key)))
    candidates = (KEY, *range(len(evidence.votes.rivals) + 1))
    further = [evidence._replace(votes=Votes(*with_vote(evidence.votes, index, one))) for index in candidates]
    weights = [sum(truth_weights(one, parameters).values()) for one in further]
    return [(weight / sum(weights), one) for weight, one in zip(weights, further, strict=True)]


def _adjudication_chances(now: Belief, rival: int, alpha: float) -> dict[int, float]:
    """Chance of each choice, as `belief` weighs choices; without "neither", which makes both less likely."""
    of_key = alpha * now.key + (1 - alpha) * now.rivals[rival] + (1 - now.key - now.rivals[rival]) / 2
    return {KEY: of_key, rival: 1 - of_key}


def with_vote(votes: Votes, index: int, one: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """With a vote more for the key, for a rival, or for a new rival."""
    if index == KEY:
        return _plus(votes.key, one), votes.rivals
    if index == len(votes.rivals):
        return votes.key, (*votes.rivals, one)
    return votes.key, (*votes.rivals[:index], _plus(votes.rivals[index], one), *votes.rivals[index + 1 :])


def _plus(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(sum, zip(left, right, strict=True)))
