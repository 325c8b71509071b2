"""Stored problems that another solver has solved again."""

from typing import ClassVar

from schemas.events.base import ItemEvent
from schemas.run_tag import RunTag


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
