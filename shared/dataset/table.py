"""A Delta table that records how far the log has been read into it.

Every commit must create the version after the one it was decided on (`max_commit_retries=0`): a stale handle gets
`Conflict`, reloads and decides again. A commit carries, besides its rows:

marks  Delta application transactions, each a name and a number: the offset up to which a partition has been read, the
       time at which that record was written (`watermarks`), and counters of the writer
note   commit metadata, read back from the table's history
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from shared.dataset.failures import translate_errors
from shared.dataset.query import id_in, select
from shared.dataset.schema import SCHEMA_VERSION, Audit, Entry, Reverification, Row, Source, arrow_schema
from shared.dataset.storage import Location, address, is_remote, join, open_table
from shared.errors import Refusal
from shared.ports import Record, StoredOffset

TABLES: dict[type[Source], str] = {Row: "rows", Entry: "ledger", Audit: "audits", Reverification: "reverifications"}
"""Folder of each table inside the dataset."""

_VERSION_KEY = "chimera.schema_version"
SETTINGS = {
    _VERSION_KEY: str(SCHEMA_VERSION),
    # A release pins a version; Delta deletes old versions after 30 days by default.
    "delta.logRetentionDuration": "interval 36500 days",
    # Statistics would repeat the longest chains of thought in the log, 0.2 MB a commit, and no query uses them.
    "delta.dataSkippingNumIndexedCols": "0",
}


RETENTION_H = 7 * 24
"""Hours for which every version of a table stays readable; versions of releases stay readable."""


class Table:
    """A table of the dataset at the version at which it was opened, last written or reloaded."""

    def __init__(self, dataset: Location, of: type[Source], factory: str) -> None:
        self._factory = factory
        self._schema = arrow_schema(of)
        self._marks: dict[str, int | None] = {}  # a cache: Delta reads its log for each look-up
        with translate_errors(f"cannot open {TABLES[of]}"):
            self._delta = _open_or_create(dataset, TABLES[of], self._schema)

    @property
    def id(self) -> str:
        """Id of the table, which changes when it is created anew."""
        return str(self._delta.metadata().id)

    @property
    def version(self) -> int:
        return self._delta.version()

    def reload(self) -> None:
        """Load the commits of other writers."""
        with translate_errors("cannot read the table"):
            self._delta.update_incremental()
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

    def append(self, lines: Sequence[Source], marks: Mapping[str, int], note: Mapping[str, str]) -> None:
        """Append lines, or none, in one commit. Raises Conflict, or Transient when it cannot be written."""
        columns = zip(*map(astuple, lines), strict=True) if lines else [[] for _ in self._schema]
        data = pa.table([pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)], schema=self._schema)
        with self._committing(marks, note) as commit:
            write_deltalake(self._delta, data, mode="append", writer_properties=_ZSTD, commit_properties=commit)

    def set(
        self, values: dict[str, str], ids: Iterable[str], marks: Mapping[str, int], note: Mapping[str, str]
    ) -> None:
        """Change columns of the lines with these ids, in one commit. Raises as `append`."""
        with self._committing(marks, note) as commit:
            self._delta.update(
                new_values={**values}, predicate=id_in(ids), writer_properties=_ZSTD, commit_properties=commit
            )

    def change(
        self, updates: Mapping[str, str], ids: Iterable[str], marks: Mapping[str, int], note: Mapping[str, str]
    ) -> None:
        """Set columns of the lines with these ids to SQL expressions, in one commit. Raises as `append`."""
        with self._committing(marks, note) as commit:
            self._delta.update(
                updates=dict(updates), predicate=id_in(ids), writer_properties=_ZSTD, commit_properties=commit
            )

    def delete(self, ids: Iterable[str], marks: Mapping[str, int]) -> None:
        """Delete the lines with these ids in one commit, or none without such a line. Raises as `append`."""
        with self._committing(marks, {}) as commit:
            self._delta.delete(id_in(ids), writer_properties=_ZSTD, commit_properties=commit)

    def compact(self) -> None:
        """Merge small files in one commit that changes no line. Raises as `append`.

        Older versions stay readable: their files stay until a vacuum.
        """
        with self._committing({}, {}) as commit:
            self._delta.optimize.compact(max_concurrent_tasks=1, writer_properties=_ZSTD, commit_properties=commit)

    def vacuum(self, keep: Sequence[int]) -> None:
        """Delete files that neither a version of the last RETENTION_H hours nor one in `keep` has. Raises as `append`.

        Also deletes files of writers that crashed before their commit; files of a pending commit are younger.
        """
        with self._committing({}, {}) as commit:
            self._delta.vacuum(
                RETENTION_H, dry_run=False, full=True, keep_versions=list(keep), commit_properties=commit
            )

    def commit_metadata(self, after: int) -> list[dict[str, Any]]:
        """Metadata of each commit after a version, up to the version of this handle, the oldest first."""
        if after >= self.version:
            return []
        with translate_errors("cannot read the table's history"):
            history = self._delta.history(self.version - after)
        # history() starts with later commits of other writers, but numbers from the handle's version down.
        return history[::-1][: self.version - after]

    @contextmanager
    def _committing(self, marks: Mapping[str, int], note: Mapping[str, str]) -> Iterator[CommitProperties]:
        now = int(time.time() * 1000)
        with translate_errors("cannot write the table"):
            yield CommitProperties(
                custom_metadata=dict(note),
                max_commit_retries=0,
                app_transactions=[Transaction(f"{self._factory}/{name}", mark, now) for name, mark in marks.items()],
            )
        self._marks |= marks


_ZSTD = WriterProperties(compression="ZSTD")


def _open_or_create(dataset: Location, name: str, schema: pa.Schema) -> DeltaTable:
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
