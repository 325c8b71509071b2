"""The belief that a row needs to enter each view of a plan."""

from schemas.config.policies import Verification
from shared.stats.belief_model import Parameters
from shared.stats.belief_policy import Forecast, Rule
from shared.stats.vote_tree import until_hit_tree

TREE_ATTEMPTS = 5
"""Attempts of each verifier up to which every outcome is counted to find a threshold; more change it little."""


def view_targets(verification: Verification) -> dict[str, float]:
    """By view, the largest share of wrong keys; a view without one of its own has the highest. Empty without any."""
    given = verification.target_wrong
    return {view: given.get(view, max(given.values())) for view in verification.accept} if given else {}


def view_thresholds(verification: Verification, parameters: Parameters) -> dict[str, float | None]:
    """By view, the smallest belief that meets its target, `None` where none does; empty without a target."""
    targets = view_targets(verification)
    if not targets:
        return {}
    tree = until_hit_tree(min(verification.attempts_each, TREE_ATTEMPTS))
    forecast = Forecast(tree, Rule(), parameters, parameters, at_end=True)
    return {view: forecast.threshold(target) for view, target in targets.items()}
