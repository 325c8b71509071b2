"""State for the decision on the next row, folded from the narrow columns of both tables."""

from collections import Counter
from dataclasses import dataclass, fields

from services.aggregator.known_ids import KnownIds
from services.aggregator.policy import IN
from shared.dataset import Progress, Table


@dataclass(slots=True)
class State:
    """What decides about the next row."""

    rows: KnownIds
    entries: KnownIds
    deleted: set[str]
    """Ids of deleted rows, which are never added again."""
    admitted: Counter[str]
    """Admitted rows by subject."""
    difficulties: Counter[float | None]
    """Admitted rows by difficulty. It has few values, because a probe has few attempts; the plan's bins may change."""
    progress: Progress

    @classmethod
    def load(cls, rows: Table, ledger: Table) -> "State":
        """Reload both tables and fold them."""
        rows.reload()
        ledger.reload()
        progress = Progress(**{field.name: rows.mark(field.name) or 0 for field in fields(Progress)})
        deleted = {line["item_id"] for line in ledger.read(["item_id"], "kind = 'deleted'")}
        state = cls(KnownIds(rows), KnownIds(ledger), deleted, Counter(), Counter(), progress)
        for counted in rows.counts(["subject", "difficulty"], f"admission = '{IN}'"):
            state.admitted[counted["subject"]] += counted["lines"]
            state.difficulties[counted["difficulty"]] += counted["lines"]
        return state

    def add(self, row: str, subject: str, admission: str, difficulty: float | None) -> None:
        """Apply an appended row."""
        self.rows.add(row)
        self.admitted[subject] += admission == IN
        self.difficulties[difficulty] += admission == IN

    def add_entry(self, entry: str, kind: str, item: str) -> None:
        """Apply an appended ledger line."""
        self.entries.add(entry)
        if kind == "deleted":
            self.deleted.add(item)
