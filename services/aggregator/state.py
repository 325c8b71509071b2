"""What must be known to decide about the next row, folded from the narrow columns of both tables."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from services.aggregator.policy import IN, Progress
from shared.dataset import Entry, Row, Table


@dataclass(slots=True)
class State:
    """Ids are strings of 36 characters: about 150 MB for a million rows."""

    rows: set[str]
    entries: set[str]
    deleted: set[str]
    """Ids of rows that must not come back."""
    admitted: Counter[str]
    """Rows `in`, by subject."""
    progress: Progress

    @classmethod
    def load(cls, rows: Table, ledger: Table) -> "State":
        """Read both tables again and fold them."""
        rows.reload()
        ledger.reload()
        narrow = rows.read(["id", "subject", "admission"])
        kept = ledger.read(["id", "kind", "item_id"]).to_pylist()
        pairs = zip(narrow["subject"].to_pylist(), narrow["admission"].to_pylist(), strict=True)
        return cls(
            rows=set(narrow["id"].to_pylist()),
            entries={line["id"] for line in kept},
            deleted={line["item_id"] for line in kept if line["kind"] == "deleted"},
            admitted=Counter(subject for subject, admission in pairs if admission == IN),
            progress=Progress(**{field.name: rows.mark(field.name) or 0 for field in fields(Progress)}),
        )

    def keep(self, entries: Iterable[Entry]) -> None:
        """The ledger has these lines now."""
        for entry in entries:
            self.entries.add(entry.id)
            if entry.kind == "deleted":
                self.deleted.add(entry.item_id)

    def add(self, rows: Iterable[Row]) -> None:
        """The table has these rows now."""
        for row in rows:
            self.rows.add(row.id)
            self.admitted[row.subject] += row.admission == IN
