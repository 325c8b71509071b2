"""What a key is decided by: parameters of belief, and the belief that each view needs."""

import logging
from dataclasses import dataclass

from schemas.belief import BeliefParameters
from schemas.config.policies import Verification
from schemas.events import BeliefEstimated
from schemas.model import Model
from shared.stats.belief_model import Parameters
from shared.stats.view_thresholds import view_thresholds

log = logging.getLogger(__name__)


ENOUGH_ITEMS = 500
"""Judged items from which an estimate counts. The intervals of fewer are so wide that little would be accepted."""


class Criteria(Model):
    """What a key is decided by."""

    parameters: BeliefParameters
    thresholds: dict[str, float | None]
    """By view, the belief that it needs; `None`: no belief is enough."""


@dataclass(slots=True)
class LatestEstimate:
    """The criteria by the latest release that has enough items; `None` before the first."""

    criteria: Criteria | None = None


def criteria_of(event: BeliefEstimated, plan: Verification) -> Criteria:
    """The criteria by an estimate. Computing the thresholds takes seconds."""
    mean, cautious = event.estimate.parameters, event.estimate.cautious
    thresholds = view_thresholds(plan, Parameters.of(mean), Parameters.of(cautious))
    log.info("release %d: decisions that begin now need the beliefs %s", event.release, thresholds)
    if not any(thresholds.values()):
        log.warning("release %d: no belief meets the plan's target_wrong; every key is rejected", event.release)
    return Criteria(parameters=mean, thresholds=thresholds)
