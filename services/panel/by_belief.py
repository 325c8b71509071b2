"""Decides by belief: the probability that the key is right, against the threshold of each view."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from schemas.belief import Belief
from schemas.config.policies import View
from schemas.item import Verdict
from schemas.outcomes import Tier
from services.panel.tiers import DISPUTED_VOTES, Finding, find_objection
from shared.answers.rivals import strongest
from shared.text.controls import quote

KEY_POINTS = ("well_posed", "self_contained", "unique_answer", "correct")
"""Points of a judgement that concern the key. Belief weighs them; an objection on another point rejects."""


def by_belief(verdicts: Sequence[Verdict], belief: Belief, accept: Mapping[View, Collection[str]]) -> Finding:
    """Return a tier that a view accepts, or the reason to reject. The order of verdicts does not matter.

    The tier shows what the belief rests on: hits of both verifiers (`verified`), of one (`plausible`), or judges alone
    (`nodded`).
    """
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    blind = ", ".join(f"{verdict.role} hit {verdict.hits} of {len(verdict.votes)}" for verdict in verdicts)
    detail = f"{_compared(belief, accept)}; {blind}"
    other_objection = find_objection([_without_key_points(verdict) for verdict in verdicts])
    if other_objection and other_objection.reason != "unable":
        return replace(other_objection, final=True)
    hits = sum(verdict.hits > 0 for verdict in verdicts)  # of two verifiers
    tier = (Tier.JUDGE_ONLY, Tier.PLAUSIBLE, Tier.VERIFIED)[hits]
    has_votes = all(any(vote.answer is not None for vote in verdict.votes) for verdict in verdicts)
    has_judgement = any(verdict.judgement for verdict in verdicts)
    if has_votes and has_judgement and is_enough(tier, belief, accept):
        return Finding(tier, tier, detail)
    rival = strongest(verdicts)
    if rival.votes >= DISPUTED_VOTES and rival.votes > sum(verdict.hits for verdict in verdicts):
        return Finding(Tier.DISPUTED, "key_disputed", f"{detail}; {rival.votes} blind votes for {quote(rival.answer)}")
    if not any(tier in tiers for tiers in accept.values()):
        detail = f"{detail}; no view takes a key that no verifier found"
    return find_objection(verdicts) or Finding(Tier.UNSOLVED, "unsolved", detail)


def is_enough(tier: str | None, belief: Belief, accept: Mapping[View, Collection[str]]) -> bool:
    """Return whether any view accepts an item of this tier and belief."""
    return any(tier in tiers and belief.reaches(view) for view, tiers in accept.items())


def _compared(belief: Belief, accept: Collection[View]) -> str:
    """The belief, and the threshold that it lacks."""
    if any(belief.reaches(view) for view in accept):
        return f"belief {belief.key:.3f}"
    if belief.required is None:
        return f"belief {belief.key:.3f}, and no belief is enough for the share of wrong keys that the plan allows"
    pairs = ((f"{belief.key:.{digits}f}", f"{belief.required:.{digits}f}") for digits in range(3, 18))
    return "belief {} is below the {} that the plan requires".format(*next(pair for pair in pairs if pair[0] < pair[1]))


def _without_key_points(verdict: Verdict) -> Verdict:
    if verdict.judgement is None:
        return verdict
    return verdict.with_(judgement=verdict.judgement.with_(**dict.fromkeys(KEY_POINTS, True)))
