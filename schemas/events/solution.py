"""Solving: a long chain of thought, and where it lands."""

from typing import ClassVar

from schemas.events.base import ItemEvent
from schemas.item import Attempt


class SolutionRequested(ItemEvent):
    """One more attempt is wanted; the item holds those already checked."""

    type: ClassVar[str] = "solution.requested"


class SolutionSynthesized(ItemEvent):
    """A new attempt, not yet checked; the item holds the earlier ones."""

    type: ClassVar[str] = "solution.synthesized"

    attempt: Attempt


class SolutionChecked(ItemEvent):
    """The complete item with every attempt checked so far. Kept for ever."""

    type: ClassVar[str] = "solution.checked"

    final: bool
    """True when no further attempt was asked for: the item is ready for the dataset."""
