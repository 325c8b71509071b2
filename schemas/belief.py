"""Belief in the key of a problem, and the parameters that it was computed with."""

from typing import Annotated

from pydantic import Field

from schemas.model import Model, added

Probability = Annotated[float, Field(ge=0, le=1)]
Between = Annotated[float, Field(gt=0, lt=1)]
"""A probability that is neither 0 nor 1: evidence could not change these."""
Positive = Annotated[float, Field(gt=0)]


class JudgeErrors(Model):
    """How often a judge that sees the key errs."""

    catch: Probability
    """d: chance to catch a wrong key."""
    false_alarm: Probability
    """f: chance to refuse a right key."""


class BeliefParameters(Model):
    """The parameters of belief, as `shared/stats/belief_model.py` explains them."""

    wrong_keys: Between
    common_error_keys: Probability
    error_agreement: Probability
    least_agreement: Between
    repeat: Between
    a: Positive
    b: Positive
    abilities: tuple[float, ...] = ()
    dependence: Probability
    judge: JudgeErrors
    judge_by_sight: dict[str, JudgeErrors] = Field(default_factory=dict)
    """By what the judge's own blind votes showed it: nothing, hit or miss."""
    adjudicator: Between


class BeliefEstimate(Model):
    """What judged items say of the parameters."""

    items: int
    """Rows and rejected items that it rests on."""
    parameters: BeliefParameters
    """Means."""
    cautious: BeliefParameters
    """At the ends of the 80 % intervals that make wrong keys likelier: for thresholds."""
    assumed: tuple[str, ...] = ()
    """Names of the parameters that nothing was counted for: they are at their defaults."""


class Belief(Model):
    """Probabilities of what the true answer is, given votes and judgements (`shared/stats/belief.py`). Their sum is 1.

    Computed when the panel decided, with the parameters of that time, and again with these when the solver answered.
    """

    key: float
    """The key is right."""
    rivals: dict[str, float] = Field(default_factory=dict)
    """A rival answer is right, by the answer as a verifier wrote it."""
    unseen: float
    """An answer is right that no verifier gave."""
    parameters: str
    """Id of the model's parameters: equal parameters have equal ids."""
    thresholds: dict[str, float | None] = Field(default_factory=dict)
    """By view, the belief that a row needs to enter it; `None`: no belief is enough. A view without a target for wrong
    keys has none."""
    values: BeliefParameters | None = added()
    """The parameters, where they are not the default ones."""

    @property
    def required(self) -> float | None:
        """The lowest belief with which a view takes a row; `None` without a target, or where no belief is enough."""
        return min((one for one in self.thresholds.values() if one is not None), default=None)

    def reaches(self, view: str) -> bool:
        """Whether the belief is high enough for a view."""
        threshold = self.thresholds.get(view, 0.0)
        return threshold is not None and self.key >= threshold
