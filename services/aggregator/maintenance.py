"""Maintenance of the tables: compacts small files after a number of commits, vacuums old files once a day.

Open versions stay readable for days, versions of releases without limit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.dataset import Table, list_manifests
from shared.dataset.storage import Location

COMPACT_EVERY_COMMITS = 64
VACUUM_INTERVAL = timedelta(days=1)


class Maintenance:
    """Maintains rows, ledger and other tables, in this order: releases pin versions of the first two."""

    def __init__(self, dataset: Location, tables: Sequence[Table]) -> None:
        self._dataset, self._tables = dataset, tables
        self._compacted = [table.version for table in tables]
        self._vacuumed: datetime | None = None

    def __call__(self, now: datetime) -> None:
        """Do what is due. Raises Conflict when another writer commits meanwhile; it is then due again."""
        due = [n for n, table in enumerate(self._tables) if table.version - self._compacted[n] >= COMPACT_EVERY_COMMITS]
        for n in due:
            self._tables[n].compact()
            self._compacted[n] = self._tables[n].version
        if due and (self._vacuumed is None or now - self._vacuumed >= VACUUM_INTERVAL):
            self._vacuum()
            self._vacuumed = now

    def _vacuum(self) -> None:
        manifests = list_manifests(self._dataset)
        pinned = [[int(one[key]) for one in manifests] for key in ("table_version", "ledger_version")]
        for n, table in enumerate(self._tables):
            table.vacuum(pinned[n] if n < len(pinned) else [])
