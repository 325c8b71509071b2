"""Deletes what only older versions of the dataset need: files of lines, and entries of Delta's log.

delta-rs has both, but its clean-up of the log goes by age alone and would take the versions of releases, and its vacuum
is two commits that any other writer of the table runs into.
"""

import re
from collections.abc import Collection
from datetime import timedelta

from deltalake import DeltaTable

from shared.clock import utc_now
from shared.dataset.failures import translate_errors
from shared.dataset.schema import Row
from shared.dataset.storage import Location, address, delete_files, list_files
from shared.dataset.table import TABLES

IN_FLIGHT_H = 1
"""Longer than any write takes, in hours: an unreferenced file that is older is not part of a pending commit."""

_LOG = "_delta_log"
_LOG_FILE = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")
_CHECKPOINT = ".checkpoint.parquet"


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


def files_of_version(folder: Location, table: str, version: int) -> set[str]:
    """Return the names of the files of a version. Raises Transient when it cannot be read."""
    with translate_errors(f"cannot read version {version} of the table"):
        return {uri.rpartition("/")[2] for uri in DeltaTable(address(folder, table), version=version).file_uris()}


def unused_files(folder: Location, table: str, kept: Collection[str]) -> list[str]:
    """Return the files that no version of the retention time has, except the `kept` ones.

    Also files of writers that crashed before their commit; files of a pending commit are younger.
    """
    with translate_errors("cannot list the table's files"):
        return [name for name in DeltaTable(address(folder, table)).vacuum(full=True) if name not in kept]


def delete_unused(folder: Location, table: str, names: Collection[str]) -> None:
    """Delete files of a table."""
    with translate_errors("cannot delete files of the table"):
        delete_files(folder, (f"{table}/{name}" for name in names))


def clean_log(folder: Location, table: str, kept: Collection[int], needed: int, retention: timedelta) -> None:
    """Delete the log's entries of versions before the last checkpoint up to `needed`, except `kept` ones.

    Every kept version gets a checkpoint of its own, which opens it without the entries before. Entries that are younger
    than `retention` stay for readers that are just opening the table.
    """
    with translate_errors("cannot clean the table's log"):
        files = list_files(folder, f"{table}/{_LOG}")
        versions = {name: int(found[1]) for name in files if (found := _LOG_FILE.fullmatch(name))}
        points = {version for name, version in versions.items() if name.endswith(_CHECKPOINT)}
        base = max((version for version in points if version <= needed), default=0)
        pinned = {version for version in kept if version < base} & {*versions.values()}
        for version in pinned - points:
            DeltaTable(address(folder, table), version=version).create_checkpoint()
        limit = utc_now() - retention
        old = (name for name, version in versions.items() if version < base and version not in pinned)
        delete_files(folder, (f"{table}/{_LOG}/{name}" for name in old if files[name] < limit))
