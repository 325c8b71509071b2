"""Sketches of the rows' problems, which count different problems without reading any text again.

The aggregator adds a file of them for every SEGMENT_ROWS rows; its name is the time of the last of these rows. They are
derived: a missing one is made from the row.
"""

import io
from datetime import UTC, datetime, timedelta
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from shared.dataset.failures import translate_errors
from shared.dataset.query import select
from shared.dataset.schema import Row
from shared.dataset.storage import Location, delete_files, list_files, open_table, read_file, write_file
from shared.dataset.table import TABLES
from shared.text.clusters import Sketch, make_sketch

FOLDER = "sketches/1"
"""The number is raised when the content of a sketch changes."""
SEGMENT_ROWS = 1000
MOST_ROWS = 5000
"""Rows of a file, when more are waiting."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = pa.schema([("id", pa.string()), ("pairs", pa.binary()), ("bands", pa.binary())])


def load_sketches(folder: Location) -> dict[str, Sketch]:
    """Return the stored sketches by row, also of rows that were deleted since."""
    with translate_errors("cannot read the sketches"):
        tables = [
            pq.read_table(io.BytesIO(read_file(folder, f"{FOLDER}/{name}"))) for name in list_files(folder, FOLDER)
        ]
    columns = (zip(*table.to_pydict().values(), strict=True) for table in tables)
    return {id_: Sketch(pairs, bands) for id_, pairs, bands in chain.from_iterable(columns)}


def add_sketches(folder: Location) -> bool:
    """Store sketches of the rows since the last stored one; returns whether there were SEGMENT_ROWS of them."""
    table = open_table(folder, TABLES[Row])
    stored = list_files(folder, FOLDER)
    last = _EPOCH + timedelta(microseconds=max((int(name.partition(".")[0]) for name in stored), default=0))
    if table is None:
        return False
    since = f"curated_at > timestamp '{last.isoformat()}'"
    times = [row["curated_at"] for row in select(table, ["curated_at"], since, ["curated_at"])]
    if len(times) < SEGMENT_ROWS:
        return False
    until = times[:MOST_ROWS][-1]
    rows = select(table, ["id", "problem"], f"{since} and curated_at <= timestamp '{until.isoformat()}'")
    lines = [(row["id"], make_sketch(row["problem"])) for row in rows]
    columns = [[id_ for id_, _ in lines], [one.pairs for _, one in lines], [one.bands for _, one in lines]]
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=_SCHEMA), out, compression="zstd")
    with translate_errors("cannot write the sketches"):
        write_file(folder, f"{FOLDER}/{(until - _EPOCH) // timedelta(microseconds=1):020}.parquet", out.getvalue())
    return True


def delete_sketches(folder: Location) -> None:
    """Delete all stored sketches: they are made again."""
    with translate_errors("cannot delete the sketches"):
        delete_files(folder, (f"{FOLDER}/{name}" for name in list_files(folder, FOLDER)))
