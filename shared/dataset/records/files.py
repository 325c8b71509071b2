"""JSON lines, JSON, CSV, Parquet and Arrow as records with their lines.

A line ends at a line feed and nowhere else, so that U+2028 or U+0085 inside a text ends none. A byte order mark and
blank lines are skipped. CSV may quote line breaks, and separate by comma, semicolon or tab.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from shared.errors import Refusal

CELL_LIMIT = 16 * 1024 * 1024
"""Characters of one CSV cell."""

HELD_OUT_FILES = ("held_out", "test", "validation")
"""Beginnings of names of files and folders whose records are for measuring, not for training."""
_NOT_RECORDS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""Files that the datasets library writes beside the records."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `line` counts from 1: the line where it begins, or the row of a Parquet file."""

    line: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flaw:
    """A line that is not a record, and why."""

    line: int
    reason: str


def record_files(path: Path) -> list[Path]:
    """The files of records of a dataset: a file itself; of a folder those in it, without held-out and test files.

    Raises Refusal when there is none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in KINDS and file.name not in _NOT_RECORDS)
    files = [
        file for file in found if not any(part.startswith(HELD_OUT_FILES) for part in file.relative_to(path).parts)
    ]
    if not files:
        raise Refusal(f"{path} has no file of records: {', '.join(KINDS)}", "Name a file, or a folder with such files")
    return files


def read_records(path: Path) -> Iterator[Record | Flaw]:
    """The records of a file in order, and the lines that are none.

    Raises Refusal for a kind of file that is not known, and where the file as a whole cannot be read; some records may
    have been yielded by then.
    """
    read = KINDS.get(path.suffix.lower())
    if read is None:
        raise Refusal(f"{path} is not a file of records: {', '.join(KINDS)} are read", "Save it as one of these")
    try:
        yield from read(path)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror or error}", "Correct the path or the file") from error
    except UnicodeDecodeError as error:
        raise Refusal(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}", "Save it as UTF-8") from error
    except (ValueError, csv.Error, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Refusal(f"{path} cannot be read: {reason}", "Correct the file") from error


def _json_lines(path: Path) -> Iterator[Record | Flaw]:
    with _text(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _parsed(number, line)


def _parsed(number: int, line: str) -> Record | Flaw:
    try:
        fields = json.loads(line)
    except ValueError as error:
        return Flaw(number, f"not JSON: {error}")
    except RecursionError:
        return Flaw(number, "not JSON that can be read: nested too deeply")
    return Record(number, fields) if isinstance(fields, dict) else Flaw(number, "not a JSON object")


def _json(path: Path) -> Iterator[Record | Flaw]:
    records = json.loads(path.read_text("utf-8-sig"))
    if not isinstance(records, list):
        raise ValueError("not a JSON list of objects")
    for number, fields in enumerate(records, 1):
        yield Record(number, fields) if isinstance(fields, dict) else Flaw(number, "not a JSON object")


def _csv(path: Path) -> Iterator[Record | Flaw]:
    csv.field_size_limit(CELL_LIMIT)
    with _text(path) as lines:
        head = lines.readline()
        lines.seek(0)
        rows = csv.reader(lines, delimiter=max(",;\t", key=head.count), strict=True)
        names = next(rows, [])
        if len(set(names)) != len(names) or "" in names:
            raise ValueError("its first line must name each column, and none twice")
        begin = rows.line_num + 1
        for cells in rows:
            if len(cells) == len(names):
                yield Record(begin, dict(zip(names, cells, strict=True)))
            elif cells:
                yield Flaw(begin, f"has {len(cells)} cells, and the first line has {len(names)}")
            begin = rows.line_num + 1


def _parquet(path: Path) -> Iterator[Record | Flaw]:
    from pyarrow import parquet  # imported by those who have such a file

    with path.open("rb") as file:
        number = 0
        for batch in parquet.ParquetFile(file).iter_batches():
            for fields in batch.to_pylist():
                number += 1
                yield Record(number, fields)


def _arrow(path: Path) -> Iterator[Record | Flaw]:
    """The stream of record batches that the datasets library saves."""
    from pyarrow import ipc  # imported by those who have such a file

    with path.open("rb") as file, ipc.open_stream(file) as batches:
        number = 0
        for batch in batches:
            for fields in batch.to_pylist():
                number += 1
                yield Record(number, fields)


def _text(path: Path) -> TextIO:
    """Lines end at a line feed; what ends in CR LF keeps its CR, which JSON and CSV ignore at the end of a line."""
    return path.open(encoding="utf-8-sig", newline="\n" if path.suffix.lower() != ".csv" else "")


KINDS: dict[str, Callable[[Path], Iterator[Record | Flaw]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
    ".arrow": _arrow,
}
"""Readers by suffix, in lower case."""
