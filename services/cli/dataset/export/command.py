"""`chimera dataset export`: writes one view of one version in a common format, with a dataset card.

Rows are streamed, a few at a time, and the folder is complete or does not exist.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress

from schemas.outcomes import IMPORTED_VIEWS, Admission
from services.cli.common.atomic_folder import atomic_folder, check_folder
from services.cli.common.dataset_location import dataset_in, difficulty_bins, last_plan
from services.cli.dataset.contamination import contamination_of
from services.cli.dataset.export import record_formats
from shared.dataset import LATEST, NOW, Dataset, list_manifests, open_audits, open_release
from shared.dataset.reports import audit_rates
from shared.dataset.reports.card import CardSource, card
from shared.dataset.reports.export_stats import ExportStats
from shared.dataset.reports.wrong_keys import estimate_wrong_keys
from shared.errors import Refusal

VIEWS = {
    "all": "true",
    "sft": f"admission = '{Admission.IN}' and array_has(views, 'sft')",
    "rl": f"admission <> '{Admission.RESERVE}' and array_has(views, 'rl')",
    "preference": f"admission <> '{Admission.RESERVE}' and cardinality(views) > 0",
    "held_out": "split = 'held_out'",
    **{view: f"array_has(views, '{view}')" for view in IMPORTED_VIEWS.values()},
}
"""SQL filter of each view. Rows in reserve are for the next target; only `all` includes them."""

FORMATS = {
    "parquet": record_formats.ROWS,
    "jsonl": record_formats.ROWS,
    "hf": record_formats.ROWS,
    "chimera": record_formats.PAPER,
    "verl": record_formats.VERL,
    "chat": record_formats.CHAT,
    "problems": record_formats.PROBLEMS,
}

JSON_LINES = frozenset({"jsonl", "chat", "problems"})
"""Formats that are written as JSON lines; the others are Parquet."""

BATCH_ROWS = 32
"""Rows in memory at a time; one may have a megabyte."""

MIN_GROUP_BYTES = 16_000_000
"""Minimum size of a row group, except the last."""

SHARD_BYTES = 500_000_000
"""A file is closed at this size, before compression."""


def export(directory: Path, out: Path, form: str, view: str, version: str, plan: Path | None = None) -> dict[str, Any]:
    """Write a view; returns its numbers. Raises Refusal when the folder is not empty, or when the view is empty.

    Before the first release, the latest version is the current dataset.
    Rows are compared with the benchmarks of `plan`, by default of the folder's last run.
    """
    target = check_folder(out)
    folder = dataset_in(directory)
    if version == LATEST and not list_manifests(folder):
        version = NOW
    dataset, release = open_release(folder, version)
    suffix = "jsonl" if form in JSON_LINES else "parquet"
    with atomic_folder(target) as draft:
        (draft / "data").mkdir()
        stats = ExportStats(contamination_of(directory, plan), difficulty_bins(directory))
        record_format = _record_format(form, view)
        _write(stats, dataset, draft / "data", view, record_format, suffix)
        if not stats.records:
            raise Refusal(f"the view {view} has no rows at version {version}", "Choose another --view or --version")
        text = card(
            _source(directory, dataset),
            stats,
            dataset,
            release,
            form=form,
            view=view,
            columns=record_format.schema.names,
            suffix=suffix,
        )
        (draft / "README.md").write_text(text, encoding="utf-8")
    files = sorted((target / "data").iterdir())
    return {
        "out": str(out),
        "format": form,
        "view": view,
        "release": release and release["number"],
        "table_version": dataset.rows.version,
        "rows": stats.records,
        "problems": stats.rows,
        "by_split": dict(stats.splits),
        "simulated": stats.by["simulated"][True],
        "contaminated": sorted({id_ for one in stats.contamination.document().values() for id_ in one["known"]}),
        "files": [str(file.relative_to(target)) for file in files],
        "bytes": sum(file.stat().st_size for file in files),
    }


def _source(directory: Path, dataset: Dataset) -> CardSource:
    try:
        audits = open_audits(dataset_in(directory))
    except Refusal:  # there are no audits
        audits = None
    figures = audit_rates.count(audits, None, difficulty_bins(directory)) if audits else None
    return CardSource(last_plan(directory), figures, estimate_wrong_keys(dataset, audits))


def _record_format(form: str, view: str) -> record_formats.RecordFormat:
    if view != "preference":
        return FORMATS[form]
    if FORMATS[form] not in (record_formats.ROWS, record_formats.CHAT):
        raise Refusal(f"the format {form} has no preference pairs", "Use --format parquet, jsonl, hf or chat")
    return record_formats.PREFERENCE


def _write(
    stats: ExportStats,
    dataset: Dataset,
    folder: Path,
    view: str,
    record_format: record_formats.RecordFormat,
    suffix: str,
) -> None:
    where = VIEWS[view]
    total = sum(dataset.rows.counts("schema_version", where=where).values())
    with ExitStack() as closing, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"exporting {total:,} rows", total=total)
        shards: dict[str, _Shards] = {}
        for batch in dataset.rows.batches(BATCH_ROWS, where):
            records: dict[str, list[record_formats.Record]] = {}
            for row in map(as_own_dataset, batch) if view in IMPORTED_VIEWS.values() else batch:
                made = list(record_format.records(stats.records, row))
                split = record_format.split or row["split"]
                stats.add({**row, "split": split}, len(made))
                records.setdefault(split, []).extend(made)
            for split, some in records.items():
                if split not in shards:
                    shards[split] = closing.enter_context(_Shards(folder, split, suffix, record_format.schema))
                shards[split].write(some)
            progress.advance(task, len(batch))


def as_own_dataset(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an imported row as if its view were a dataset of its own: a trainer then takes it like any other."""
    own = {imported: view for view, imported in IMPORTED_VIEWS.items()}
    return {**row, "admission": Admission.IN, "views": [own.get(view, view) for view in row["views"]]}


class _Shards:
    """The files of one split, one open at a time."""

    def __init__(self, folder: Path, split: str, suffix: str, schema: pa.Schema) -> None:
        self._folder, self._split, self._suffix, self._schema = folder, split, suffix, schema
        self._number = self._bytes = 0
        self._file: pq.ParquetWriter | TextIO | None = None
        self._buffer: list[pa.Table] = []

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def write(self, records: list[record_formats.Record]) -> None:
        if not records:
            return
        table = pa.Table.from_pylist(records, self._schema)
        if self._file is None:
            self._file = self._open()
        if isinstance(self._file, pq.ParquetWriter):
            self._buffer.append(table)
            self._flush(MIN_GROUP_BYTES)
        else:
            self._file.writelines(f"{_line(record)}\n" for record in records)
        self._bytes += table.nbytes
        if self._bytes >= SHARD_BYTES:
            self._close()
            self._bytes, self._number = 0, self._number + 1

    def _flush(self, min_bytes: int = 0) -> None:
        """Write the buffered tables as one row group, if they have at least `min_bytes`."""
        if (
            self._buffer
            and isinstance(self._file, pq.ParquetWriter)
            and sum(one.nbytes for one in self._buffer) >= min_bytes
        ):
            self._file.write_table(pa.concat_tables(self._buffer))
            self._buffer.clear()

    def _close(self) -> None:
        if self._file:
            self._flush()
            self._file.close()
            self._file = None

    def _open(self) -> Any:
        path = self._folder / f"{self._split}-{self._number:05}.{self._suffix}"
        if self._suffix == "jsonl":
            return path.open("w", encoding="utf-8")
        return pq.ParquetWriter(path, self._schema, compression="zstd")


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, default=lambda moment: moment.isoformat())
