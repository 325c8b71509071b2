"""Weights topics by the trained model's measured ability: rows of some topics teach it more than others."""

from collections.abc import Mapping

from schemas.events import EvaluationCompleted
from schemas.item import Topic

TRAINED_STAGES = ("rl", "sft")
"""Training stages of a model; the first that was measured counts."""


def read_ability(event: EvaluationCompleted) -> dict[str, float]:
    """Return pass@1 of the trained model by part, shrunk towards the mean; empty when only the base was measured."""
    for stage in TRAINED_STAGES:
        scores = {score.part: score.shrunk for score in event.scores if (score.model, score.k) == (stage, 1)}
        if known := {part: value for part, value in scores.items() if value is not None}:
            return known
    return {}


def topic_weight(ability: Mapping[str, float], topic: Topic) -> float:
    """Return the weight of a topic: 1 for a topic that the model always or never solves, up to 2 at one half.

    p(1 − p) is the variance of an attempt, from which the model learns: largest at p = 1/2, none at 0 and 1. A subfield
    without a score takes that of its subject, or of all.
    """
    if not ability:
        return 1.0
    parts = (f"{topic.subject} › {topic.subfield}", topic.subject, "all")
    p = next((ability[part] for part in parts if part in ability), 0.0)
    return 1 + 4 * p * (1 - p)
