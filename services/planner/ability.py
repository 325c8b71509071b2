"""What the trained model can do already, and where a further row teaches it most. Numbers only."""

from collections.abc import Mapping

from schemas.events import EvaluationCompleted
from schemas.item import Topic

TRAINED_STAGES = ("rl", "sft")
"""Stages that a trained model may have; the first that was measured counts."""


def read_ability(event: EvaluationCompleted) -> dict[str, float]:
    """Part → pass@1 of the trained model, drawn towards that of all; empty when only the base was measured."""
    for stage in TRAINED_STAGES:
        found = {score.part: score.shrunk for score in event.scores if (score.model, score.k) == (stage, 1)}
        if known := {part: value for part, value in found.items() if value is not None}:
            return known
    return {}


def topic_weight(ability: Mapping[str, float], topic: Topic) -> float:
    """How often a topic is wanted, where one that is mastered or hopeless is wanted once: up to twice.

    p(1 − p) is how far attempts differ, which is what there is to learn from: most at one half, nothing at 0 and 1.
    What was not measured is as its subject, or as all.
    """
    parts = (f"{topic.subject} › {topic.subfield}", topic.subject, "all")
    p = next((ability[part] for part in parts if part in ability), 0.0)
    return 1 + 4 * p * (1 - p)
