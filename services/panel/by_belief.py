"""Decides by belief: the probability that the key is right, against the threshold of each view."""

from collections.abc import Collection, Mapping, Sequence

from schemas.config.policies import View
from schemas.item import Belief, Verdict
from services.panel.tiers import DISPUTED_VOTES, Finding, find_fault
from shared.answers.rivals import strongest

KEY_FAULTS = frozenset({"ill_posed", "not_self_contained", "not_unique", "wrong_key"})
"""What a judge may hold against the key. Belief weighs it; every other fault rejects."""


def by_belief(verdicts: Sequence[Verdict], belief: Belief, accept: Mapping[View, Collection[str]]) -> Finding:
    """A tier that a view accepts, or why there is none. The order of verdicts does not matter.

    The tier says what the belief rests on: hits of both verifiers (`verified`), of one (`plausible`), or judges alone
    (`nodded`).
    """
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    blind = ", ".join(f"{verdict.role} hit {verdict.hits} of {len(verdict.votes)}" for verdict in verdicts)
    detail = f"belief {belief.key:.3f}; {blind}"
    fault = find_fault(verdicts)
    if fault and fault.reason not in {*KEY_FAULTS, "unable"}:
        return fault
    hits = sum(verdict.hits > 0 for verdict in verdicts)
    tier = ("nodded", "plausible", "verified")[min(hits, 2)]
    is_voted = all(verdict.votes for verdict in verdicts) and any(verdict.judgement for verdict in verdicts)
    if is_voted and is_enough(tier, belief, accept):
        return Finding(tier, tier, detail)
    rival = strongest(verdicts)
    if rival.votes >= DISPUTED_VOTES and rival.votes > sum(verdict.hits for verdict in verdicts):
        return Finding("disputed", "key_disputed", f"{detail}; {rival.votes} blind votes for {rival.answer!r}")
    return fault or Finding("unsolved", "unsolved", detail)


def is_enough(tier: str | None, belief: Belief, accept: Mapping[View, Collection[str]]) -> bool:
    """Whether any view takes an item of this tier and belief."""
    return any(tier in tiers and belief.reaches(view) for view, tiers in accept.items())
