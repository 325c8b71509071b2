"""Delete what only older versions of the dataset hold, for good."""

from deltalake import DeltaTable

from shared.dataset.failures import translate_errors
from shared.dataset.schema import Row
from shared.dataset.storage import Location, join
from shared.dataset.table import TABLES

IN_FLIGHT_H = 1
"""No write takes so long: an unknown file that is older belongs to nobody."""


def purge(folder: Location) -> int:
    """Leave of the rows only what the present version has; returns how many files went.

    Safe beside the aggregator: a file that it is about to commit is known to no version, but young. Older versions,
    releases among them, can no longer be read where they had one of these files.
    """
    with translate_errors("cannot purge the rows"):
        table = DeltaTable(join(folder, TABLES[Row]))
        removed = table.vacuum(0, enforce_retention_duration=False, dry_run=False)
        lost = table.vacuum(IN_FLIGHT_H, enforce_retention_duration=False, dry_run=False, full=True)
    return len(removed) + len(lost)
