"""Estimates of the parameters of belief."""

from typing import ClassVar

from schemas.belief import BeliefEstimate
from schemas.events.base import Event


class BeliefEstimated(Event):
    """What a release of the dataset says of the parameters of belief. The panel uses it for later decisions."""

    type: ClassVar[str] = "belief.estimated"

    plan: str
    release: int
    estimate: BeliefEstimate

    @property
    def key(self) -> str:
        return self.plan
