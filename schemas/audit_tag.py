"""What marks an audit item: a curated problem broken on purpose, or a control, that goes through the checks again."""

from uuid import UUID

from schemas.model import Model

JUDGE_EQUAL, JUDGE_DIFFERENT = "control-judge-equal", "judge-different"
"""Kinds of pairs for the judge of answers; they are audits of no problem."""


class AuditTag(Model):
    """What only the envelope tells: no event, handler, prompt or model ever sees it."""

    kind: str
    """Kind of defect, or control-row, control-exact, control-vetted; open."""
    source: UUID | None = None
    """The curated problem that the item was made from."""
    difficulty: float | None = None
    """0 easy to 1 hard, as measured for the source; `None`: unknown."""

    @property
    def of_judge(self) -> bool:
        """Whether the judge of answers was audited, and no problem."""
        return self.kind in (JUDGE_EQUAL, JUDGE_DIFFERENT)

    @property
    def control(self) -> bool:
        """Whether nothing was broken: then it is a mistake to notice something."""
        return self.kind.startswith("control-")
