"""The table of judged audit items, each once. No other table of the dataset contains them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from schemas.events import AuditJudged
from shared.dataset import Audit, Table, build
from shared.ports import Record

OnAudit = Callable[[AuditJudged], None]


class Audits:
    """The table and its ids."""

    def __init__(self, table: Table, on_audit: OnAudit) -> None:
        self.table = table
        self._on_audit = on_audit
        self.reload()

    def reload(self) -> None:
        """Load the commits of other writers."""
        self.table.reload()
        self._ids = {line["id"] for line in self.table.read(["id"])}

    def append(self, records: Sequence[Record], now: datetime) -> None:
        """Append new audits with the watermark, and report each. Raises as `Table.append`."""
        judged = [(record, record.event) for record in records if isinstance(record.event, AuditJudged)]
        if not judged:
            return
        new: dict[str, tuple[Audit, AuditJudged]] = {}
        for record, event in judged:
            if (id_ := str(event.item.id)) not in self._ids:
                new.setdefault(id_, (build.to_audit(record, event, now), event))
        marks = self.table.watermarks(record for record, _ in judged)
        self.table.append([line for line, _ in new.values()], marks, {})
        self._ids |= new.keys()
        for _, event in new.values():
            self._on_audit(event)
