"""Keeps the tables quick to read: joins small files after every so many commits, deletes old ones once a day.

Readers are not disturbed: what they have open stays for days, what a release pins stays for ever.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.dataset import Table, manifests
from shared.dataset.storage import Location

EVERY_COMMITS = 64
EVERY = timedelta(days=1)


class Upkeep:
    """Of the rows, the ledger and other tables, in this order: releases pin versions of the first two."""

    def __init__(self, dataset: Location, tables: Sequence[Table]) -> None:
        self._dataset, self._tables = dataset, tables
        self._compacted = [table.version for table in tables]
        self._vacuumed: datetime | None = None

    def __call__(self, now: datetime) -> None:
        """Do what is due. Raises Conflict when somebody else commits meanwhile: then it is due again."""
        due = [n for n, table in enumerate(self._tables) if table.version - self._compacted[n] >= EVERY_COMMITS]
        for n in due:
            self._tables[n].compact()
            self._compacted[n] = self._tables[n].version
        if due and (self._vacuumed is None or now - self._vacuumed >= EVERY):
            self._vacuum()
            self._vacuumed = now

    def _vacuum(self) -> None:
        made = manifests(self._dataset)
        pinned = [[int(one[key]) for one in made] for key in ("table_version", "ledger_version")]
        for n, table in enumerate(self._tables):
            table.vacuum(pinned[n] if n < len(pinned) else [])
