"""SQL queries on a Delta table, run by DataFusion in this process.

pyarrow's datasets are not used: they fail on the table's statistics (string against string_view) and read whole rows to
find one. Records come from arro3, a part of deltalake: it is faster than pyarrow, and commands that read start without
pyarrow and numpy. Reading a result raises Transient when the disk or the store fails.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from deltalake import DeltaTable, QueryBuilder

from shared.dataset.failures import translate_read_errors


def select(
    table: DeltaTable, columns: Sequence[str], where: str = "true", order: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield some columns of the lines that match an SQL condition, with one batch in memory at a time."""
    ordered = f" order by {_names(order)}" if order else ""
    return _rows(table, f"select {_names(columns)} from lines where {where}{ordered}")  # noqa: S608 - our own names


def newest(
    table: DeltaTable, columns: Sequence[str], at: str, limit: int, where: str = "true"
) -> Iterator[dict[str, Any]]:
    """Yield some columns of at most `limit` lines: those with the latest time in the column `at`, equal times by id.

    Batches are small: converting one holds Python's lock, here beside the intake of the aggregator.
    """
    ordered = f'order by "{at}" desc, id limit {limit}'
    sql = f"select {_names(columns)} from lines where {where} {ordered}"  # noqa: S608 - our own names
    return (line for lines in _batches(table, sql, ("batch_size = 256",)) for line in lines)


def total(table: DeltaTable, column: str, where: str = "true") -> dict[str, Any]:
    """Return the sum of a column (`known`) and the number of lines without a value in it (`unknown_items`)."""
    sums = f'sum("{column}") as known, count(*) - count("{column}") as unknown_items'
    return next(_rows(table, f"select {sums} from lines where {where}"))  # noqa: S608 - our own names


def batches(
    table: DeltaTable, columns: Sequence[str], rows: int, where: str = "true"
) -> Iterator[list[dict[str, Any]]]:
    """As `select`, in batches of at most `rows` lines, file by file: for long lines, always in the same order."""
    settings = (f"batch_size = {rows}", "target_partitions = 1")
    return _batches(table, f"select {_names(columns)} from lines where {where}", settings)  # noqa: S608 - our own names


def count_lines(table: DeltaTable, columns: Sequence[str], where: str = "true") -> Iterator[dict[str, Any]]:
    """Yield each combination of values with its number of lines, `lines`."""
    names = _names(columns)
    return _rows(table, f"select {names}, count(*) as lines from lines where {where} group by {names}")  # noqa: S608


def id_prefixes(table: DeltaTable) -> bytes:
    """Return the first 8 bytes of the id of each line, a UUID, in no defined order."""
    import pyarrow as pa  # commands that read do without it

    sql = "select decode(substr(replace(id, '-', ''), 1, 16), 'hex') as prefix from lines"
    with _reading(table):
        found = QueryBuilder().register("lines", table).execute(sql)
        return b"".join(_bytes_of(pa.record_batch(batch).column(0).cast(pa.binary(8))) for batch in found)


def _bytes_of(prefixes: Any) -> bytes:
    return bytes(prefixes.buffers()[1][8 * prefixes.offset : 8 * (prefixes.offset + len(prefixes))])


def id_in(ids: Iterable[str], column: str = "id") -> str:
    """Return the SQL condition that a line's id is one of these."""
    return f"{column} in ({', '.join(map(sql_string, ids)) or 'null'})"


def sql_string(value: str) -> str:
    """Quote a string for SQL."""
    return "'" + value.replace("'", "''") + "'"


def _reading(table: DeltaTable) -> AbstractContextManager[None]:
    return translate_read_errors(table.table_uri.rstrip("/").rpartition("/")[2], table.version())


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _rows(table: DeltaTable, sql: str) -> Iterator[dict[str, Any]]:
    for lines in _batches(table, sql):
        yield from lines


def _batches(table: DeltaTable, sql: str, settings: Sequence[str] = ()) -> Iterator[list[dict[str, Any]]]:
    builder = QueryBuilder().register("lines", table)
    for setting in settings:
        builder.execute(f"set datafusion.execution.{setting}")
    with _reading(table):
        for batch in builder.execute(sql):
            yield list(batch.to_struct_array().to_pylist())
