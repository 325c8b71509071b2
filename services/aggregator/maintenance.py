"""Maintenance of the tables beside the intake: joins small files, deletes old files and old entries of the log.

Open versions stay readable for the retention time, versions of releases and of unpublished commits without limit.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from threading import Lock
from typing import ParamSpec, TypeVar

from services.aggregator import outbox
from services.aggregator.separate_process import call_separately
from shared.dataset import Table, list_manifests
from shared.dataset.compaction import RELEASED, TIERS, SizeTier, choose_files, join_files
from shared.dataset.failures import Conflict
from shared.dataset.maintenance import clean_log, create_checkpoint, delete_unused, unused_files
from shared.dataset.sketches import add_sketches
from shared.dataset.storage import Location, is_remote
from shared.errors import Transient

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

COMPACT_EVERY_COMMITS = TIERS[0].files
VACUUM_INTERVAL = timedelta(minutes=15)
"""Longest time between two clean-ups; a shorter retention shortens it."""


class Maintenance:
    """Maintains rows, ledger and other tables, in this order: releases pin versions of the first two."""

    def __init__(self, dataset: Location, tables: Sequence[Table], retention: timedelta, writing: Lock) -> None:
        """`writing` is held while the tables are used."""
        self._dataset, self._tables, self._retention, self._writing = dataset, tables, retention, writing
        self._running: asyncio.Task[None] | None = None
        self._cleaned: datetime | None = None
        self._sketched: int | None = None
        """Version of the rows that have their sketches."""
        self._prepared: int | None = None
        """The release for which small files were joined last."""
        self._checkpoints: dict[str, int] = {}
        """By table: the version of the last checkpoint that was made here."""
        self._pinned: dict[str, tuple[Set[int], Set[str]]] = {}
        """By table: the versions that releases pin, and their files, which never change."""

    def start(self, now: datetime, published: int, next_release: int | None = None) -> None:
        """Start what is due, unless it still runs. `published` is the version of the rows that the outbox has reached.

        `next_release` is the number of a release that is near: it keeps the files of its version for ever.

        Raises what the last run raised, except that a store failed or another writer was faster: it is then due again.
        """
        if self._running:
            if not self._running.done():
                return
            self._running.result()
        self._running = asyncio.create_task(asyncio.to_thread(self._run, now, published, next_release))

    async def finish(self) -> None:
        """Wait until nothing runs."""
        if self._running:
            await self._running

    def _run(self, now: datetime, published: int, next_release: int | None) -> None:
        tiers = (replace(TIERS[0], files=COMPACT_EVERY_COMMITS), *TIERS[1:])
        try:
            for table in self._tables:
                self._join(table, tiers)
            if next_release and next_release != self._prepared:
                has_joined = [self._join(table, RELEASED) for table in self._tables[:2]]
                self._prepared = next_release if any(has_joined) else self._prepared
            self._sketch(self._tables[0])
            is_due = self._cleaned is None or now - self._cleaned >= min(VACUUM_INTERVAL, self._retention / 4)
            self._clean(published, delete_files=is_due)
            self._cleaned = now if is_due else self._cleaned
        except Conflict:
            log.info("another writer changed a table; its files are joined later")
        except Transient as error:
            log.warning("maintenance of the dataset failed, it is repeated: %s", error)

    def _join(self, table: Table, tiers: Sequence[SizeTier]) -> bool:
        """Join the files of each tier that has enough of them; returns whether one had."""
        has_joined = False
        while True:
            with self._writing:
                chosen = choose_files(table.files(), tiers)
            if not chosen:
                return has_joined
            joined = self._call(join_files, self._dataset, table.name, chosen, table.schema)
            with self._writing:
                table.replace_files(joined)
            has_joined = True

    def _sketch(self, rows: Table) -> None:
        with self._writing:
            version = rows.version
        if self._sketched is None or version - self._sketched >= COMPACT_EVERY_COMMITS:
            while self._call(add_sketches, self._dataset):
                log.debug("sketches of rows were added")
            self._sketched = version

    def _clean(self, published: int, *, delete_files: bool) -> None:
        """Make checkpoints that are due, and clean the log of their tables; with `delete_files` clean all tables."""
        with self._writing:
            versions = {table.name: table.version for table in self._tables}
            due = {table.name for table in self._tables if self._is_checkpoint_due(table)}
            commits = self._tables[0].commit_metadata(published) if published >= 0 else []
        for name in due:
            self._checkpoints[name] = self._call(create_checkpoint, self._dataset, name)
        if published < 0 or not (due or delete_files):
            return  # without a cursor it is not known what was published
        unpublished = [asdict(release) for release in map(outbox.release, commits) if release]
        releases = [*self._call(list_manifests, self._dataset), *unpublished]
        for table, key in zip_longest(self._tables, ("table_version", "ledger_version")):
            version = versions[table.name]
            needed = version if table is not self._tables[0] else published
            pinned = {int(one[key]) for one in releases if int(one[key]) <= version} if key else set()
            if delete_files:
                self._delete_files(table, pinned, range(needed + 1, version + 1))
            if delete_files or table.name in due:
                self._call(clean_log, self._dataset, table.name, pinned, needed, self._retention)

    def _is_checkpoint_due(self, table: Table) -> bool:
        return table.version - self._checkpoints.get(table.name, 0) >= table.checkpoint_interval

    def _delete_files(self, table: Table, pinned: Set[int], unpublished: Sequence[int]) -> None:
        known, kept = self._pinned.get(table.name, (frozenset(), frozenset()))
        unused, kept = self._call(unused_files, self._dataset, table.name, kept, pinned - known, unpublished)
        self._pinned[table.name] = pinned, kept
        if unused:
            with self._writing:
                table.append([], {}, {})  # refuses a writer that was frozen before it could commit one of these files
            self._call(delete_unused, self._dataset, table.name, unused)

    def _call(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if is_remote(self._dataset):
            return call_separately(work, *arguments, **named)
        return work(*arguments, **named)
