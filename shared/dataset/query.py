"""Questions to a Delta table, answered by DataFusion inside the process.

Not through pyarrow's datasets: they stumble over the table's own statistics (string against string_view) and read
whole rows to find one. Reading an answer raises Transient when the disk or the store does not give it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from shared.dataset.failures import translate_errors


def select(
    table: DeltaTable, columns: Sequence[str], where: str = "true", order: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Some columns of the lines for which an SQL condition holds, a batch in memory at a time."""
    ordered = f" order by {_names(order)}" if order else ""
    return _answers(table, f"select {_names(columns)} from lines where {where}{ordered}")  # noqa: S608 - our own names


def batches(
    table: DeltaTable, columns: Sequence[str], rows: int, where: str = "true"
) -> Iterator[list[dict[str, Any]]]:
    """As `select`, at most so many lines at a time, file after file: for long lines, and always in the same order."""
    settings = (f"batch_size = {rows}", "target_partitions = 1")
    return _batches(table, f"select {_names(columns)} from lines where {where}", settings)  # noqa: S608 - our own names


def counts(table: DeltaTable, columns: Sequence[str], where: str = "true") -> Iterator[dict[str, Any]]:
    """How many lines (`lines`) have each combination of values."""
    names = _names(columns)
    return _answers(table, f"select {names}, count(*) as lines from lines where {where} group by {names}")  # noqa: S608


def table(table: DeltaTable, columns: Sequence[str]) -> pa.Table:
    """Some columns of all lines."""
    with translate_errors("cannot read the table"):
        return pa.table(QueryBuilder().register("lines", table).execute(f"select {_names(columns)} from lines"))  # noqa: S608


def among(ids: Iterable[str]) -> str:
    """The condition that a line's id is one of these."""
    return f"id in ({', '.join(map(text, ids)) or 'null'})"


def text(value: str) -> str:
    """A string as it is written in SQL."""
    return "'" + value.replace("'", "''") + "'"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _answers(table: DeltaTable, sql: str) -> Iterator[dict[str, Any]]:
    for lines in _batches(table, sql):
        yield from lines


def _batches(table: DeltaTable, sql: str, settings: Sequence[str] = ()) -> Iterator[list[dict[str, Any]]]:
    asked = QueryBuilder().register("lines", table)
    for setting in settings:
        asked.execute(f"set datafusion.execution.{setting}")
    with translate_errors("cannot read the table"):
        for batch in asked.execute(sql):
            yield pa.record_batch(batch).to_pylist()
