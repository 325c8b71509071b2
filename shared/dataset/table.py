"""A Delta table that records how far the log has been read into it.

Every commit must create the version after the one it was decided on (`max_commit_retries=0`): a stale handle gets
`Conflict`, reloads and decides again. A commit carries, besides its rows:

marks  Delta application transactions, each a name and a number: the offset up to which a partition has been read, the
       time at which that record was written (`watermarks`), and counters of the writer
note   commit metadata, read back from the table's history
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.transaction import AddAction, RemoveAction

from shared.dataset.failures import Conflict, translate_errors
from shared.dataset.query import count_lines, id_in, id_prefixes, select
from shared.dataset.schema import (
    SCHEMA_VERSION,
    Audit,
    Entry,
    Probing,
    Resolution,
    Reverification,
    ReviewLine,
    Row,
    Source,
    arrow_schema,
)
from shared.dataset.storage import Location, address, is_remote, join, open_table
from shared.errors import Refusal
from shared.ports import Record, StoredOffset

TABLES: dict[type[Source], str] = {
    Row: "rows",
    Entry: "ledger",
    Audit: "audits",
    Reverification: "reverifications",
    Resolution: "resolutions",
    Probing: "probings",
    ReviewLine: "reviews",
}
"""Folder of each table inside the dataset."""

RETENTION = timedelta(hours=1)
"""How long every version of a table stays readable, unless the aggregator's settings say otherwise."""

JOINED = "chimera.joined"
"""Key of the metadata of a commit that joins files."""

REOPEN_COMMITS = 64
"""Commits through one handle of Delta, which is then opened anew: each commit makes the next one slower, by 0.03 ms."""


def _interval(time: timedelta) -> str:
    return f"interval {int(time.total_seconds())} seconds"


_VERSION_KEY, _RETENTION_KEY = "chimera.schema_version", "delta.deletedFileRetentionDuration"
SETTINGS = {
    _VERSION_KEY: str(SCHEMA_VERSION),
    # A release pins a version; Delta deletes old versions after 30 days by default.
    "delta.logRetentionDuration": "interval 36500 days",
    # Statistics would repeat the longest chains of thought in the log, 0.2 MB a commit, and no query uses them.
    "delta.dataSkippingNumIndexedCols": "0",
    _RETENTION_KEY: _interval(RETENTION),
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a table."""

    path: str
    """Relative to the table's folder."""
    bytes: int
    rows: int | None
    """`None` when the table's log does not have it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A new file with the rows of others, which it is to replace."""

    file: DataFile
    replaced: tuple[DataFile, ...]

    @property
    def stats(self) -> str:
        """Statistics of the new file, as the table's log has them."""
        return json.dumps({"numRecords": self.file.rows})


class Table:
    """A table of the dataset at the version at which it was opened, last written or reloaded."""

    def __init__(self, dataset: Location, of: type[Source], factory: str) -> None:
        self._factory = factory
        self.name = TABLES[of]
        self.schema = arrow_schema(of)
        self._marks: dict[str, int | None] = {}  # a cache: Delta reads its log for each look-up
        with translate_errors(f"cannot open {TABLES[of]}"):
            self._delta = _open_or_create(dataset, TABLES[of], self.schema)
        self._opened = self.version

    @property
    def id(self) -> str:
        """Id of the table, which changes when it is created anew."""
        return str(self._delta.metadata().id)

    @property
    def version(self) -> int:
        return self._delta.version()

    @property
    def checkpoint_interval(self) -> int:
        """Commits after which the log gets another checkpoint: Delta's property, or its default value."""
        return int(self._delta.metadata().configuration.get("delta.checkpointInterval", 100))

    def reload(self) -> None:
        """Load the commits of other writers."""
        self._delta = self._latest()
        self._opened = self.version
        self._marks.clear()

    def mark(self, name: str) -> int | None:
        """Return the number last committed under a name."""
        if name not in self._marks:
            with translate_errors("cannot read the table"):
                self._marks[name] = self._delta.transaction_version(f"{self._factory}/{name}")
        return self._marks[name]

    def positions(self, kafka_topic: str, incarnation: str) -> dict[int, StoredOffset]:
        """Watermark by partition: the last record that has been read into the table."""
        name = _mark_name(kafka_topic, incarnation)
        marks = {partition: self.mark(f"{name}/{partition}") for partition in range(self.mark(f"{name}/span") or 0)}
        return {
            partition: StoredOffset(offset, self.mark(f"{name}/{partition}/written"))
            for partition, offset in marks.items()
            if offset is not None
        }

    def watermarks(self, records: Iterable[Record]) -> dict[str, int]:
        """Marks for a commit after which these records, and all before them in their partitions, are in the table."""
        marks: dict[str, int] = {}
        for record in sorted(records, key=lambda record: record.offset):
            name = _mark_name(record.kafka_topic, record.incarnation)
            marks[f"{name}/{record.partition}"] = record.offset
            marks[f"{name}/{record.partition}/written"] = record.written_ms
            marks[f"{name}/span"] = max(record.partition + 1, marks.get(f"{name}/span", self.mark(f"{name}/span") or 0))
        return marks

    def has_read(self, record: Record) -> bool:
        """Whether a record is at or below its watermark."""
        watermark = self.mark(f"{_mark_name(record.kafka_topic, record.incarnation)}/{record.partition}")
        return watermark is not None and record.offset <= watermark

    def read(self, columns: Sequence[str], where: str = "true", order: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Yield some columns of the lines that match an SQL condition."""
        return select(self._delta, columns, where, order)

    def id_prefixes(self) -> bytes:
        """Return the first 8 bytes of the id of each line, in no defined order."""
        return id_prefixes(self._delta)

    def counts(self, columns: Sequence[str], where: str) -> Iterator[dict[str, Any]]:
        """Yield each combination of values of some columns with its number of lines, `lines`."""
        return count_lines(self._delta, columns, where)

    def read_version(self, version: int, columns: Sequence[str], where: str) -> Iterator[dict[str, Any]]:
        """Yield as `read`, at another version. Raises Vanished when that version is gone."""
        with translate_errors(f"cannot open version {version} of {self.name}"):
            at = self._delta if version == self.version else DeltaTable(self._delta.table_uri, version=version)
        return select(at, columns, where)

    def append(self, lines: Sequence[Source], marks: Mapping[str, int], note: Mapping[str, str]) -> None:
        """Append lines, or none, in one commit. Raises Conflict, or Transient when it cannot be written."""
        import pyarrow as pa

        columns = zip(*map(astuple, lines), strict=True) if lines else [[] for _ in self.schema]
        data = pa.table([pa.array(c, f.type) for c, f in zip(columns, self.schema, strict=True)], schema=self.schema)
        with self._committing(marks, note) as commit:
            write_deltalake(self._delta, data, mode="append", writer_properties=_ZSTD, **commit)

    def set(
        self, values: dict[str, str], ids: Iterable[str], marks: Mapping[str, int], note: Mapping[str, str]
    ) -> None:
        """Set columns of the lines with these ids to values, in one commit. Raises as `append`."""
        with self._committing(marks, note) as commit:
            self._delta.update(new_values={**values}, predicate=id_in(ids), writer_properties=_ZSTD, **commit)

    def set_expressions(
        self, updates: Mapping[str, str], ids: Iterable[str], marks: Mapping[str, int], note: Mapping[str, str]
    ) -> None:
        """Set columns of the lines with these ids to SQL expressions, in one commit. Raises as `append`."""
        with self._committing(marks, note) as commit:
            self._delta.update(updates=dict(updates), predicate=id_in(ids), writer_properties=_ZSTD, **commit)

    def delete(self, ids: Iterable[str], marks: Mapping[str, int]) -> None:
        """Delete the lines with these ids in one commit, or none without such a line. Raises as `append`."""
        with self._committing(marks, {}) as commit:
            self._delta.delete(id_in(ids), writer_properties=_ZSTD, **commit)

    def compact(self) -> None:
        """Merge small files in one commit that changes no line. Raises as `append`.

        Older versions stay readable: their files stay until they are cleaned up.
        """
        with self._committing({}, {}) as commit:
            self._delta.optimize.compact(max_concurrent_tasks=1, writer_properties=_ZSTD, **commit)

    def files(self) -> list[DataFile]:
        """Return the files of this version."""
        with translate_errors("cannot read the table"):
            actions = self._delta.get_add_actions().to_struct_array().to_pylist()
        return [DataFile(one["path"], one["size_bytes"], one["num_records"]) for one in actions]

    def replace_files(self, joined: Joined) -> None:
        """Put a joined file in the place of its files, in one commit that changes no line.

        Raises as `append`; also Conflict when one of the files has been replaced meanwhile.
        """
        if not {*joined.replaced} <= {*self.files()}:
            raise Conflict("a file that was joined is no longer in the table")
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [
            AddAction(joined.file.path, joined.file.bytes, {}, now, data_change=False, stats=joined.stats),
            *(RemoveAction(file.path, False, now, file.bytes, {}) for file in joined.replaced),
        ]
        with self._committing({}, {JOINED: str(len(joined.replaced))}) as commit:
            self._delta.create_write_transaction(actions, "append", self._delta.schema(), **commit)
        self._reopen(self.version + 1)

    def keep_old_files(self, retention: timedelta) -> None:
        """Set how long files that only older versions have are kept. Raises as `append`."""
        property_ = {_RETENTION_KEY: _interval(retention)}
        if not property_.items() <= self._delta.metadata().configuration.items():
            with self._committing({}, {}) as commit:
                self._delta.alter.set_table_properties(property_, **commit)

    def commit_metadata(self, after: int) -> list[dict[str, Any]]:
        """Metadata of each commit after a version, up to the version of this handle, the oldest first."""
        if after >= self.version:
            return []
        with translate_errors("cannot read the table's history"):
            history = self._delta.history(self.version - after)
        # history() starts with later commits of other writers, but numbers from the handle's version down. It has only
        # the commits that the log still has.
        return history[::-1][: self.version - after]

    @contextmanager
    def _committing(self, marks: Mapping[str, int], note: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        if self.version - self._opened >= REOPEN_COMMITS:
            self._reopen(self.version)
        now = int(time.time() * 1000)
        properties = CommitProperties(
            custom_metadata=dict(note),
            max_commit_retries=0,
            app_transactions=[Transaction(f"{self._factory}/{name}", mark, now) for name, mark in marks.items()],
        )
        with translate_errors("cannot write the table"):
            yield {"commit_properties": properties, "post_commithook_properties": _NO_HOOKS}
        self._marks |= marks

    def _reopen(self, version: int) -> None:
        """Open the table anew. Raises Conflict when this is not its latest version: the caller must reload."""
        latest = self._latest()
        if latest.version() != version:
            raise Conflict("another writer has changed the table")
        self._delta, self._opened = latest, version

    def _latest(self) -> DeltaTable:
        with translate_errors("cannot read the table"):
            return DeltaTable(self._delta.table_uri)


# Maintenance makes checkpoints beside the intake and cleans the log: here a commit would wait for it.
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# Statistics would repeat each long text twice, and a file of one row would have 38 kB instead of 15.
_ZSTD = WriterProperties(compression="ZSTD", default_column_properties=ColumnProperties(statistics_enabled="NONE"))


def _open_or_create(dataset: Location, name: str, schema: Any) -> DeltaTable:
    if existing := open_table(dataset, name):
        return check_version(existing)
    if not is_remote(dataset):
        Path(join(dataset, name)).mkdir(parents=True, exist_ok=True)
    return DeltaTable.create(address(dataset, name), schema, configuration=SETTINGS, raise_if_key_not_exists=False)


def check_version(table: DeltaTable) -> DeltaTable:
    """Return the table. Raises Refusal when a newer version of this software wrote it."""
    version = int(table.metadata().configuration.get(_VERSION_KEY, 0))
    if version > SCHEMA_VERSION:
        raise Refusal(
            f"{table.table_uri} has schema version {version}, this software reads up to {SCHEMA_VERSION}",
            "Update this software, or use another dataset folder",
        )
    return table


def _mark_name(kafka_topic: str, incarnation: str) -> str:
    return f"{kafka_topic}/{incarnation}"
