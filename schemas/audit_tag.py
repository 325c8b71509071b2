"""What marks an audit item: a curated problem broken on purpose, or a control, that goes through the checks again."""

from uuid import UUID

from schemas.model import Model


class AuditTag(Model):
    """What only the envelope tells: no event, handler, prompt or model ever sees it."""

    kind: str
    """Kind of defect, or control-row, control-exact, control-vetted; open."""
    source: UUID | None = None
    """The curated problem that the item was made from."""
    difficulty: float | None = None
    """0 easy to 1 hard, as measured for the source; `None`: unknown."""

    @property
    def control(self) -> bool:
        """Whether nothing was broken: then it is a mistake to notice something."""
        return self.kind.startswith("control-")
