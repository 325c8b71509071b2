"""Reads the questions of a benchmark from JSON lines, CSV or Parquet."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.config.policies import Benchmark
from shared.dataset.records import Flaw, as_text, read_records
from shared.errors import Refusal

COLUMNS = ("question", "problem", "prompt", "query", "statement", "input", "text")
"""Usual names of the column, best first; case is ignored."""

Row = dict[str, Any]


def read_questions(name: str, benchmark: Benchmark) -> list[str]:
    """Return the question of every row in order; empty where a row has none. Raises Refusal for an unreadable file."""
    where = f"benchmarks.{name} in the plan"
    rows = read_rows(benchmark.path, f"The benchmark {name}", where)
    column = _column(rows, benchmark.column)
    if column is None:
        columns = ", ".join(dict.fromkeys(key for row in rows for key in row)) or "no rows"
        missing = repr(benchmark.column) if benchmark.column else "of questions"
        raise Refusal(f"{benchmark.path} has no column {missing}; it has {columns}", f"Name it as `column` of {where}")
    return [as_text(row.get(column)) or "" for row in rows]


def read_rows(path: Path, what: str, where: str) -> list[Row]:
    """Return the rows of a file; `where` is the setting that names it. Raises Refusal when it cannot be read."""
    rows = []
    try:
        for one in read_records(path):
            if isinstance(one, Flaw):
                raise Refusal(f"{path}: line {one.line}: {one.reason}", "Correct the file")
            rows.append(one.fields)
    except Refusal as refusal:
        raise Refusal(f"{what} cannot be read: {refusal.message}", f"Correct the file or {where}") from refusal
    return rows


def _column(rows: Iterable[Row], given: str | None) -> str | None:
    keys = {key.casefold(): key for row in rows for key in row}
    if given is not None:
        return given if given in keys.values() else None
    return next((keys[name] for name in COLUMNS if name in keys), None)
