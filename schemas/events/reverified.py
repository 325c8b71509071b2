"""Stored problems that other verifiers have judged again."""

from typing import ClassVar

from schemas.events.base import ItemEvent
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
