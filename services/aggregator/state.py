"""What must be known to decide about the next row, folded from the narrow columns of both tables."""

from collections import Counter
from dataclasses import dataclass, fields

from services.aggregator.policy import IN
from shared.dataset import Progress, Table


@dataclass(slots=True)
class State:
    """Ids are strings of 36 characters: about 150 MB for a million rows."""

    rows: set[str]
    entries: set[str]
    deleted: set[str]
    """Ids of rows that must not come back."""
    admitted: Counter[str]
    """Rows `in`, by subject."""
    difficulties: Counter[float | None]
    """The same by difficulty: a few values, since a probe has few attempts. The plan's bins may change."""
    progress: Progress

    @classmethod
    def load(cls, rows: Table, ledger: Table) -> "State":
        """Read both tables again and fold them."""
        rows.reload()
        ledger.reload()
        progress = Progress(**{field.name: rows.mark(field.name) or 0 for field in fields(Progress)})
        state = cls(set(), set(), set(), Counter(), Counter(), progress)
        for row in rows.read(["id", "subject", "admission", "difficulty"]):
            state.add(row["id"], row["subject"], row["admission"], row["difficulty"])
        for line in ledger.read(["id", "kind", "item_id"]):
            state.add_entry(line["id"], line["kind"], line["item_id"])
        return state

    def add(self, row: str, subject: str, admission: str, difficulty: float | None) -> None:
        """The table has this row now."""
        self.rows.add(row)
        self.admitted[subject] += admission == IN
        self.difficulties[difficulty] += admission == IN

    def add_entry(self, entry: str, kind: str, item: str) -> None:
        """The ledger has this line now."""
        self.entries.add(entry)
        if kind == "deleted":
            self.deleted.add(item)
