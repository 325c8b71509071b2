"""Deletes files that only older versions of the dataset need."""

from deltalake import DeltaTable

from shared.dataset.failures import translate_errors
from shared.dataset.schema import Row
from shared.dataset.storage import Location, address
from shared.dataset.table import TABLES

IN_FLIGHT_H = 1
"""Longer than any write takes, in hours: an unreferenced file that is older is not part of a pending commit."""


def purge(folder: Location) -> int:
    """Delete the files of rows that the present version does not have; returns their number.

    Safe while the aggregator runs: files of its pending commit are younger than IN_FLIGHT_H. Older versions, including
    releases, become unreadable where they need one of the deleted files.
    """
    with translate_errors("cannot purge the rows"):
        table = DeltaTable(address(folder, TABLES[Row]))
        removed = table.vacuum(0, enforce_retention_duration=False, dry_run=False)
        lost = table.vacuum(IN_FLIGHT_H, enforce_retention_duration=False, dry_run=False, full=True)
    return len(removed) + len(lost)
