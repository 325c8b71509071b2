"""Planted defects and controls, judged by the same checks as everything else."""

from typing import ClassVar
from uuid import UUID

from schemas.events.base import Event


class AuditJudged(Event):
    """An ending for audit items: what was planted, and whether the checks let it through."""

    type: ClassVar[str] = "audit.judged"

    problem_id: UUID
    defect: str
    """Kind of planted defect, or `control`."""
    accepted: bool
    noticed_by: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return str(self.problem_id)

    @property
    def trace(self) -> UUID:
        return self.problem_id
