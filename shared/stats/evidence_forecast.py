"""What requests for evidence lead to, before any is made: the share of keys accepted, wrong ones among them, calls.

The model of belief says how likely each next piece of evidence is, so the figures are sums over everything that may be
seen, not a simulation. Verifiers count as equal and independent here, and votes for each candidate are merged.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from shared.stats.belief import belief, canonical_evidence
from shared.stats.belief_model import RARE_REPEAT, Evidence, JudgeResult, Parameters
from shared.stats.evidence_choice import REJECT_BELOW, Limits, next_offer, offers, outcomes

FIRST_ROUND = 2
"""Votes before the first decision: one of each verifier, beside one judgement of each."""
NEGLIGIBLE = 1e-5
"""Share of keys below which a course of events is left out."""
ROUNDING = 1e-9
"""Of beliefs from the same evidence, counted in another order."""
RESOLUTION, LEAST_DOUBT = 1e-4, 16
"""Of thresholds; and how far below the target the doubt in what is accepted may have to be."""


class Ended(NamedTuple):
    """An end of requests: of which share of the keys, with which belief, and which share of the keys is wrong there."""

    share: float
    believed: float
    wrong: float
    votes: int
    adjudications: int
    accepted: bool


@dataclass(slots=True)
class EvidenceForecast:
    """Decisions and requests use `parameters`; how likely everything is, `cautious` ones."""

    parameters: Parameters
    cautious: Parameters
    limits: Limits
    reject_below: float = REJECT_BELOW
    _known: dict[Evidence, tuple[float, float, list[tuple[float, Evidence]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parameters = _alike(self.parameters)
        cautious = _alike(self.cautious)
        self.cautious = replace(cautious, solving=cautious.solving._replace(repeat=RARE_REPEAT))

    def ends(self, threshold: float) -> list[Ended]:
        """Every end of requests for evidence until belief reaches a threshold, falls below β, or limits are reached."""
        ends, present = list[Ended](), self._starts()
        while present:
            further = defaultdict[Evidence, float](float)
            for evidence, share in present.items():
                believed, cautious, branches = self._step(evidence, threshold)
                if branches:
                    for chance, then in branches:
                        further[then] += share * chance
                else:
                    accepted = believed >= threshold and evidence.votes.total >= FIRST_ROUND
                    counts = evidence.votes.total, len(evidence.adjudications)
                    ends.append(Ended(share, believed, share * (1 - cautious), *counts, accepted))
            present = {evidence: share for evidence, share in further.items() if share > NEGLIGIBLE}
        return ends

    def threshold(self, target: float) -> float | None:
        """τ: the smallest belief to accept from so that the share of wrong keys among the accepted meets the target.

        `None`: no threshold does.
        """
        doubt = 1.0  # thresholds from below: those near 1 leave most to be requested, and take longest
        while not self._meets_at(1 - doubt, target):
            doubt /= 2
            if doubt < target / LEAST_DOUBT:
                return None
        low, high = max(0.0, 1 - 2 * doubt), 1 - doubt
        while high - low > RESOLUTION:
            middle = (low + high) / 2
            low, high = (low, middle) if self._meets_at(middle, target) else (middle, high)
        return high if any(end.accepted for end in self.ends(high)) else None

    def _meets_at(self, threshold: float, target: float) -> bool:
        return _wrong_share(self.ends(threshold), threshold) <= target

    def stricter(self, ends: Iterable[Ended], target: float) -> float | None:
        """The smallest belief that meets a stricter target among keys that were accepted at a lower one."""
        accepted = sorted((end for end in ends if end.accepted), key=lambda end: end.believed)
        levels = (end.believed for end in accepted)
        return next((level - ROUNDING for level in levels if _wrong_share(accepted, level) <= target), None)

    def _starts(self) -> dict[Evidence, float]:
        starts = dict[Evidence, float]()
        for passed in ((True, True), (True, False), (False, False)):
            ways = 2 if passed == (True, False) else 1
            chance = {
                right: self.cautious.judge.chance(passed=passed[0], right=right)
                * self.cautious.judge.chance(passed=passed[1], right=right)
                for right in (True, False)
            }
            share = (1 - self.cautious.wrong_keys) * chance[True] + self.cautious.wrong_keys * chance[False]
            starts[Evidence(judgements=tuple(map(JudgeResult, passed)))] = ways * share
        return starts

    def _step(self, evidence: Evidence, threshold: float) -> tuple[float, float, list[tuple[float, Evidence]]]:
        """Belief, cautious belief, and what may come next; nothing where requests end."""
        first_round = evidence.votes.total < FIRST_ROUND
        if evidence not in self._known:
            now = belief(evidence, self.cautious)
            self._known[evidence] = belief(evidence, self.parameters).key, now.key, self._branches(evidence)
        believed, cautious, branches = self._known[evidence]
        decided = believed >= threshold or believed < self.reject_below
        return believed, cautious, [] if decided and not first_round else branches

    def _branches(self, evidence: Evidence) -> list[tuple[float, Evidence]]:
        offered = offers(evidence, self.limits)
        if evidence.votes.total < FIRST_ROUND:
            offer = next(offered, None)
        else:
            offer = next_offer(evidence, self.parameters, offered, reject_below=self.reject_below)
        if offer is None:
            return []
        return [
            (chance, canonical_evidence(then, self.cautious.solving))
            for chance, then in outcomes(evidence, self.cautious, offer)
        ]


def _wrong_share(ends: Iterable[Ended], level: float) -> float:
    """Share of wrong keys among what is accepted with at least this belief; 0 where nothing is."""
    accepted = [end for end in ends if end.accepted and end.believed >= level]
    return sum(end.wrong for end in accepted) / (sum(end.share for end in accepted) or 1.0)


def _alike(parameters: Parameters) -> Parameters:
    """With equal, independent verifiers."""
    return replace(parameters, solving=parameters.solving._replace(abilities=(), dependence=0.0))
