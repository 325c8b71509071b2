"""Decisions of people about keys."""

from typing import ClassVar, Literal

from schemas.events.base import ItemEvent
from schemas.model import added


class ProblemReviewed(ItemEvent):
    """A person decided about the key of a stored item. Retained for ever."""

    type: ClassVar[str] = "problem.reviewed"

    decision: Literal["accept", "correct", "reject"]
    """The key is right; it is wrong and the person knows the right one; it is wrong, or the problem is no good."""
    reviewer: str
    """Name of the person."""
    reason: str
    answer: str | None = added()
    """The right key, of `correct`."""

    @property
    def summary(self) -> str:
        """The decision in a sentence, for a person."""
        what = {"accept": "accepted", "correct": f"corrected to {self.answer!r}", "reject": "rejected"}[self.decision]
        return f"{what} by {self.reviewer}: {self.reason}"
