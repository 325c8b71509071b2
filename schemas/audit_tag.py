"""The tag of an audit item: a curated problem with a planted error, or a control, that passes the checks again."""

from uuid import UUID

from schemas.model import Model

JUDGE_EQUAL, JUDGE_DIFFERENT = "control-judge-equal", "judge-different"
"""Kinds of pairs for the judge of answers; they are audits of no problem."""


class AuditTag(Model):
    """A Kafka header. No event, handler, prompt or model sees it."""

    kind: str
    """Kind of the planted error, or control-row, control-exact, control-vetted; an open set."""
    source: UUID | None = None
    """The curated problem from which the item was made."""
    difficulty: float | None = None
    """0 easy to 1 hard, as measured for the source; `None`: unknown."""

    @property
    def of_judge(self) -> bool:
        """Whether the judge of answers was audited, and no problem."""
        return self.kind in (JUDGE_EQUAL, JUDGE_DIFFERENT)

    @property
    def control(self) -> bool:
        """Whether the item has no planted error: a check that finds one is wrong."""
        return self.kind.startswith("control-")
