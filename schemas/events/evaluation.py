"""Scores of trained models."""

from typing import ClassVar
from uuid import UUID

from schemas.events.base import Event
from schemas.model import Model


class Score(Model):
    """Unbiased pass@k of one model on one part of the held-out rows, with a 95 % interval."""

    model: str
    part: str
    """A subject, a subfield, or `all`."""
    k: int
    value: float
    low: float
    high: float
    problems: int
    samples: int
    """Samples per problem."""
    shrunk: float | None = None
    """`value` shrunk towards that of `all`, the more the fewer problems there are."""


class EvaluationCompleted(Event):
    type: ClassVar[str] = "evaluation.completed"

    plan: str
    release: int
    run: UUID
    scores: tuple[Score, ...]

    @property
    def key(self) -> str:
        return self.plan
