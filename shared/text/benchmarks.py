"""Reads the questions of a benchmark from JSON lines, CSV or Parquet."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from schemas.config.policies import Benchmark
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
    return [str(row.get(column) or "") for row in rows]


def read_rows(path: Path, what: str, where: str) -> list[Row]:
    """Return the rows of a file; `where` is the setting that names it. Raises Refusal when it cannot be read."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise Refusal(f"{path} is not of a supported file type", f"Set {where} to a file of {', '.join(_READERS)}")
    try:
        return list(read(path))
    except (OSError, ValueError, csv.Error) as error:  # json's, Unicode's and Arrow's errors are ValueErrors
        raise Refusal(f"{what} cannot be read: {path}: {error}", f"Correct the file or {where}") from error


def _column(rows: Iterable[Row], given: str | None) -> str | None:
    keys = {key.casefold(): key for row in rows for key in row}
    if given is not None:
        return given if given in keys.values() else None
    return next((keys[name] for name in COLUMNS if name in keys), None)


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"line {number} is not a JSON object")
                yield row


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, restkey="")


def _parquet(path: Path) -> Iterator[Row]:
    from pyarrow import parquet  # a slow import that only this format needs

    with path.open("rb") as file:
        yield from parquet.read_table(file).to_pylist()


_READERS = {".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv, ".parquet": _parquet}
