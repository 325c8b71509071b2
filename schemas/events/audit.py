"""Audit items: curated problems broken on purpose, and controls, judged by the same checks as everything else."""

from typing import ClassVar

from schemas.audit_tag import AuditTag
from schemas.events.base import ItemEvent


class AuditJudged(ItemEvent):
    """The ending of an audit item: what it was made to be, and what each check found. Complete, kept for ever."""

    type: ClassVar[str] = "audit.judged"

    mark: AuditTag
    accepted: bool
    reason: str
    """Why it was rejected, as in problem.rejected; of an accepted one, its tier."""
    detail: str
    """One sentence for a person."""
    found: dict[str, str]
    """By check that looked at it (screening, verifier-a/blind, verifier-a/judge, …, panel): passed, noticed, unable."""

    @property
    def service(self) -> str:
        """The service that ended it."""
        return self.cause.role
