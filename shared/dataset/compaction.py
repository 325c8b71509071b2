"""Joins small files of a table in tiers: a row is rewritten once in each tier, so the work per row stays the same.

Files are rewritten beside the intake; only the commit that puts the new file in their place needs the table.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from shared.dataset.failures import translate_errors
from shared.dataset.storage import Location, files_of
from shared.dataset.table import DataFile, Joined
from shared.errors import Transient


@dataclass(frozen=True, slots=True)
class SizeTier:
    """Files of up to `max_bytes` that are larger than those of the tier below; `files` of them are joined."""

    max_bytes: int
    files: int


READ_ROWS = 256
"""Rows in memory at a time; one may have a megabyte."""
ROW_GROUP_BYTES = 16_000_000
"""Size of a row group in memory."""
TIERS = (SizeTier(1 << 17, 64), SizeTier(1 << 20, 16), SizeTier(1 << 26, 32))
"""The smallest files first; files above all tiers are final. 64 commits of twelve rows make a file of about 5 MB."""


RELEASED = (SizeTier(TIERS[1].max_bytes, 8),)
"""Files that are joined before a release, which keeps the files of its version for ever."""


def choose_files(files: Sequence[DataFile], tiers: Sequence[SizeTier] = TIERS) -> list[DataFile]:
    """Return the files of the lowest tier that has enough of them; none when no tier has."""
    smallest = 0
    for tier in tiers:
        members = [file for file in files if smallest <= file.bytes < tier.max_bytes]
        if len(members) >= tier.files:
            return members
        smallest = tier.max_bytes
    return []


def join_files(where: Location, table: str, files: Sequence[DataFile], schema: pa.Schema) -> Joined:
    """Write one file with the rows of others. Raises Transient when a file cannot be read whole or written."""
    store, name = files_of(where), f"part-{uuid.uuid4()}.zstd.parquet"
    rows = 0
    with translate_errors("cannot join files of the table"):
        path = f"{table}/{name}"
        settings = {"compression": "zstd", "write_statistics": False}
        with store.open_output_stream(path) as out, pq.ParquetWriter(out, schema, **settings) as writer:
            for group in _row_groups(_batches(where, table, files, schema)):
                writer.write_table(group)
                rows += len(group)
        size = store.get_file_info(path).size
    if rows != sum(file.rows or 0 for file in files):
        raise Transient(f"cannot join files of {table}: {rows} rows were read from {[file.path for file in files]}")
    return Joined(DataFile(name, size, rows), tuple(files))


def _batches(where: Location, table: str, files: Sequence[DataFile], schema: pa.Schema) -> Iterator[pa.Table]:
    store = files_of(where)
    for file in files:
        with store.open_input_file(f"{table}/{file.path}") as source:
            for batch in pq.ParquetFile(source).iter_batches(READ_ROWS):
                yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)


def _row_groups(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    group, size = list[pa.Table](), 0
    for batch in batches:
        group.append(batch)
        size += batch.nbytes
        if size >= ROW_GROUP_BYTES:
            yield pa.concat_tables(group)
            group, size = [], 0
    if group:
        yield pa.concat_tables(group)
