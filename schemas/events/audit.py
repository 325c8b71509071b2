"""Audit items: curated problems with a planted error, and controls, judged by the same checks as other items."""

from typing import ClassVar

from schemas.audit_tag import AuditTag
from schemas.events.base import ItemEvent


class AuditJudged(ItemEvent):
    """The end of an audit item: its tag, and the result of each check. Retained for ever."""

    type: ClassVar[str] = "audit.judged"

    mark: AuditTag
    accepted: bool
    reason: str
    """The reason as in problem.rejected; for an accepted item, its tier."""
    detail: str
    """One sentence for a person."""
    found: dict[str, str]
    """passed, noticed or unable, by check that ran: screening, verifier-a/blind, verifier-a/judge, …, panel."""

    @property
    def service(self) -> str:
        """The service that ended the item."""
        return self.cause.role
