"""The belief that a row needs to enter each view of a plan, and how much evidence may be requested for it."""

from schemas.config.policies import Verification
from shared.stats.belief_model import Parameters
from shared.stats.evidence_choice import Limits
from shared.stats.evidence_forecast import EvidenceForecast

COUNTED = Limits(max_votes=16, adjudications=4)
"""Evidence up to which every outcome is counted to find a threshold; more changes it little."""


def view_targets(verification: Verification) -> dict[str, float]:
    """By view, the largest share of wrong keys; a view without one of its own has the highest. Empty without any."""
    given = verification.target_wrong
    return {view: given.get(view, max(given.values())) for view in verification.accept} if given else {}


def evidence_limits(verification: Verification) -> Limits:
    """How much evidence may be requested on one key."""
    return Limits(verification.votes, verification.adjudications)


def view_thresholds(
    verification: Verification, parameters: Parameters, cautious: Parameters | None = None
) -> dict[str, float | None]:
    """By view, the smallest belief that meets its target, `None` where none does; empty without a target.

    Beliefs use `parameters`; how likely they are, `cautious` ones, such as the ends of intervals.
    Requests end at the lowest of them. A stricter view takes the keys whose belief happened to end high enough.
    """
    targets = view_targets(verification)
    if not targets:
        return {}
    forecast, loosest = evidence_forecast(verification, parameters, cautious), max(targets.values())
    lowest = forecast.threshold(loosest)
    if lowest is None:
        return dict.fromkeys(targets)
    ends = forecast.ends(lowest)
    return {view: lowest if target == loosest else forecast.stricter(ends, target) for view, target in targets.items()}


def evidence_forecast(
    verification: Verification, parameters: Parameters, cautious: Parameters | None = None
) -> EvidenceForecast:
    """What requests for evidence under a plan lead to."""
    limits = evidence_limits(verification)
    counted = Limits(min(limits.max_votes, COUNTED.max_votes), min(limits.adjudications, COUNTED.adjudications))
    return EvidenceForecast(parameters, cautious or parameters, counted)
