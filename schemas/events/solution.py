"""Solutions: a long chain of thought, and whether its answer agrees with the key."""

from typing import ClassVar

from schemas.events.base import ItemEvent
from schemas.item import Attempt


class SolutionRequested(ItemEvent):
    """One more attempt is requested; the item has those already checked."""

    type: ClassVar[str] = "solution.requested"


class SolutionSynthesized(ItemEvent):
    """A new attempt, not yet checked; the item has the earlier ones."""

    type: ClassVar[str] = "solution.synthesized"

    attempt: Attempt


class SolutionChecked(ItemEvent):
    """The complete item with every attempt checked so far. Retained for ever."""

    type: ClassVar[str] = "solution.checked"

    final: bool
    """True when no further attempt is requested: the item is ready for the dataset."""
