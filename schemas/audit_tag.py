"""The tag of an audit item: a curated problem with a planted error, or a control, that passes the checks again."""

from uuid import UUID

from schemas.model import Model


class AuditTag(Model):
    """A Kafka header. No event, handler, prompt or model sees it."""

    kind: str
    """Kind of the planted error, or control-row, control-exact, control-vetted; an open set."""
    source: UUID | None = None
    """The curated problem from which the item was made."""
    difficulty: float | None = None
    """0 easy to 1 hard, as measured for the source; `None`: unknown."""

    @property
    def control(self) -> bool:
        """Whether the item has no planted error: a check that finds one is wrong."""
        return self.kind.startswith("control-")
