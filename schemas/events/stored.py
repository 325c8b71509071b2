"""Stored problems: verified, solved or probed again, decided about by a person."""

from typing import ClassVar, Literal

from schemas.events.base import ItemEvent
from schemas.model import added
from schemas.run_tag import RunTag


class ProblemReverified(ItemEvent):
    """The end of a reverify item, with the evidence of before and the new one. Retained for ever."""

    type: ClassVar[str] = "problem.reverified"

    run: RunTag
    accepted: bool
    """Whether the panel accepts it by all evidence."""
    reason: str
    """The reason as in problem.rejected; for an accepted item, its tier."""
    detail: str
    """One sentence for a person."""

    @property
    def key(self) -> str:
        """The problem that is stored, not its copy."""
        return str(self.run.problem)


class ProblemResolved(ItemEvent):
    """The end of a copy that was solved again, with the new attempts alone. Retained for ever."""

    type: ClassVar[str] = "problem.resolved"

    run: RunTag
    disputed: str | None
    """Why the new solutions dispute the key; `None`: they do not."""

    @property
    def key(self) -> str:
        """The problem that is stored, not its copy."""
        return str(self.run.problem)


class ProblemReprobed(ItemEvent):
    """The end of a copy whose difficulty was measured again, for another model. Retained for ever."""

    type: ClassVar[str] = "problem.reprobed"

    run: RunTag

    @property
    def key(self) -> str:
        """The problem that is stored, not its copy."""
        return str(self.run.problem)

    @property
    def left(self) -> tuple[str, ...]:
        """Views that the row leaves: with an attempt that was graded, and none that missed."""
        return self.run.leaves or () if self.difficulty == 0 else ()

    @property
    def difficulty(self) -> float | None:
        """As it was measured; `None` when no attempt was graded."""
        return self.item.probe.difficulty if self.item.probe else None


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
