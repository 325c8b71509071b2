"""Deletes what only older versions of the dataset need: files of lines, and entries of Delta's log.

delta-rs has both, but its clean-up of the log goes by age alone and would take the versions of releases, and its vacuum
is two commits that any other writer of the table runs into.
"""

import re
from collections.abc import Collection, Iterable, Set
from datetime import timedelta

from deltalake import DeltaTable

from shared.clock import utc_now
from shared.dataset.failures import translate_errors
from shared.dataset.schema import Row
from shared.dataset.storage import Location, address, delete_files, list_files
from shared.dataset.table import TABLES

IN_FLIGHT_H = 1
"""Longer than any write takes, in hours: an unreferenced file that is older is not part of a pending commit."""

LOG_ENTRIES = 100
"""Entries of a table's log that a clean-up leaves: each commit lists them all, three times, in 10 µs an entry."""

_LOG = "_delta_log"
_LOG_FILE = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")
_CHECKPOINT = ".checkpoint.parquet"


def purge(folder: Location) -> int:
    """Delete the files of rows that the present version does not have; returns their number.

    Safe while the aggregator runs: it makes no commit, and files of pending commits are younger than IN_FLIGHT_H. Older
    versions, including releases, become unreadable where they need one of the deleted files. Sketches are deleted, and
    made again.
    """
    with translate_errors("cannot purge the rows"):
        table = DeltaTable(address(folder, TABLES[Row]))
        replaced = table.vacuum(0, enforce_retention_duration=False)
        lost = table.vacuum(IN_FLIGHT_H, enforce_retention_duration=False, full=True)
    names = {*replaced, *lost}
    delete_unused(folder, TABLES[Row], names)
    from shared.dataset.sketches import delete_sketches  # imports rensa, which readers do not need

    delete_sketches(folder)
    return len(names)


def unused_files(
    folder: Location, table: str, kept: Set[str], pinned: Iterable[int], unpublished: Iterable[int]
) -> tuple[list[str], Set[str]]:
    """Return the files of a table that are in no version of the retention time, and the `kept` files, which stay.

    Files of `pinned` versions are added to those that are kept. Files of `unpublished` versions stay this time. Files
    of writers that crashed before their commit are unused when they are older than the retention time.
    """
    with translate_errors(f"cannot list the files of {table}"):
        kept |= {file for version in pinned for file in _files_of(folder, table, version)}
        needed = kept | {file for version in unpublished for file in _files_of(folder, table, version)}
        return [name for name in DeltaTable(address(folder, table)).vacuum(full=True) if name not in needed], kept


def _files_of(folder: Location, table: str, version: int) -> Set[str]:
    return {uri.rpartition("/")[2] for uri in DeltaTable(address(folder, table), version=version).file_uris()}


def delete_unused(folder: Location, table: str, names: Iterable[str]) -> None:
    """Delete files of a table."""
    with translate_errors(f"cannot delete files of {table}"):
        delete_files(folder, (f"{table}/{name}" for name in names))


def create_checkpoint(folder: Location, table: str) -> int:
    """Summarise a table's log in a checkpoint, from which readers start. Returns its version."""
    with translate_errors(f"cannot make a checkpoint of {table}"):
        latest = DeltaTable(address(folder, table))
        latest.create_checkpoint()
        return int(latest.version())


def clean_log(folder: Location, table: str, kept: Collection[int], needed: int, retention: timedelta) -> None:
    """Delete the log's entries of versions before the last checkpoint up to `needed`, except `kept` ones.

    Every kept version gets a checkpoint of its own, which opens it without the entries before. Of the entries that are
    younger than `retention`, the last LOG_ENTRIES stay, so that a version can be opened by its number.
    """
    with translate_errors("cannot clean the table's log"):
        files = list_files(folder, f"{table}/{_LOG}")
        versions = {name: int(found[1]) for name in files if (found := _LOG_FILE.fullmatch(name))}
        points = {version for name, version in versions.items() if name.endswith(_CHECKPOINT)}
        base = max((version for version in points if version <= needed), default=0)
        pinned = {version for version in kept if version < base} & {*versions.values()}
        for version in pinned - points:
            DeltaTable(address(folder, table), version=version).create_checkpoint()
        limit, last = utc_now() - retention, max(versions.values(), default=0)
        old = (name for name, version in versions.items() if version < base and version not in pinned)
        expired = (name for name in old if files[name] < limit or versions[name] <= last - LOG_ENTRIES)
        delete_files(folder, (f"{table}/{_LOG}/{name}" for name in expired))
