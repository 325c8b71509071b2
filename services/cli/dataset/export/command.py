"""chimera dataset export: one view of one version, in a form that others read, with a card.

Rows stream through a few at a time, and the folder appears whole or not at all.
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

from services.cli import audit
from services.cli.common.atomic_folder import atomic_folder
from services.cli.common.dataset_location import dataset_in
from services.cli.dataset.contamination import Contamination
from services.cli.dataset.export import record_formats
from services.cli.dataset.export.card import CardSource, card
from services.cli.dataset.export.export_stats import ExportStats
from shared.config.plan_loader import load_plan
from shared.dataset import Dataset, audits, opened
from shared.errors import Refusal

VIEWS = {
    "all": "true",
    "sft": "admission = 'in' and array_has(views, 'sft')",
    "rl": "admission <> 'reserve' and array_has(views, 'rl')",
    "preference": "admission <> 'reserve' and cardinality(views) > 0",
    "held_out": "split = 'held_out'",
}
"""Which rows a view has. What is in reserve serves the next target, and is in none but `all`."""

SHAPES = {
    "parquet": record_formats.ROWS,
    "jsonl": record_formats.ROWS,
    "hf": record_formats.ROWS,
    "chimera": record_formats.PAPER,
    "verl": record_formats.VERL,
}

BATCH_ROWS = 32
"""Rows in memory at a time: one may have a megabyte."""

GROUP_BYTES = 16_000_000
"""Least size of a row group but the last."""

SHARD_BYTES = 500_000_000
"""A file is closed once it has taken so many bytes, before compression."""


def export(directory: Path, out: Path, form: str, view: str, version: str, plan: Path | None = None) -> dict[str, Any]:
    """Write a view; returns what was written. Raises Refusal when the folder is not empty, or the view is.

    Rows are held against the benchmarks of `plan`, by default of the one last run.
    """
    dataset, release = opened(dataset_in(directory), version)
    suffix = "jsonl" if form == "jsonl" else "parquet"
    with atomic_folder(out) as draft:
        (draft / "data").mkdir()
        tally = ExportStats(Contamination.of(directory, plan))
        shape = _shape(form, view)
        _write(tally, dataset, draft / "data", view, shape, suffix)
        if not tally.records:
            raise Refusal(f"the view {view} has no rows at version {version}", "Take another --view or --version")
        told = card(
            _source(directory),
            tally,
            dataset,
            release,
            form=form,
            view=view,
            columns=shape.schema.names,
            suffix=suffix,
        )
        (draft / "README.md").write_text(told, encoding="utf-8")
    files = sorted((out / "data").iterdir())
    return {
        "out": str(out),
        "format": form,
        "view": view,
        "release": release and release["number"],
        "table_version": dataset.rows.version,
        "rows": tally.records,
        "problems": tally.rows,
        "by_split": dict(tally.splits),
        "simulated": tally.by["simulated"][True],
        "contaminated": sorted({id_ for one in tally.contamination.document().values() for id_ in one["known"]}),
        "files": [str(file.relative_to(out)) for file in files],
        "bytes": sum(file.stat().st_size for file in files),
    }


def _source(directory: Path) -> CardSource:
    plan = directory / "plan.yaml"
    try:
        judged = audit.count(audits(dataset_in(directory)), None)
    except Refusal:  # there are none
        judged = None
    return CardSource(load_plan(plan) if plan.exists() else None, judged)


def _shape(form: str, view: str) -> record_formats.RecordFormat:
    if view != "preference":
        return SHAPES[form]
    if SHAPES[form] is not record_formats.ROWS:
        raise Refusal(f"{form} has no form for preferences", "Take --format parquet, jsonl or hf")
    return record_formats.PREFERENCE


def _write(
    tally: ExportStats, dataset: Dataset, folder: Path, view: str, shape: record_formats.RecordFormat, suffix: str
) -> None:
    where = VIEWS[view]
    total = sum(dataset.rows.counts("schema_version", where=where).values())
    with ExitStack() as closing, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"exporting {total:,} rows", total=total)
        shards: dict[str, _Shards] = {}
        for batch in dataset.rows.batches(BATCH_ROWS, where):
            records: dict[str, list[record_formats.Record]] = {}
            for row in batch:
                made = list(shape.records(tally.records, row))
                tally.add(row, len(made))
                records.setdefault(row["split"], []).extend(made)
            for split, some in records.items():
                if split not in shards:
                    shards[split] = closing.enter_context(_Shards(folder, split, suffix, shape.schema))
                shards[split].write(some)
            progress.advance(task, len(batch))


class _Shards:
    """The files of one split, one open at a time."""

    def __init__(self, folder: Path, split: str, suffix: str, schema: pa.Schema) -> None:
        self._folder, self._split, self._suffix, self._schema = folder, split, suffix, schema
        self._number = self._bytes = 0
        self._file: pq.ParquetWriter | TextIO | None = None
        self._held: list[pa.Table] = []

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def write(self, records: list[record_formats.Record]) -> None:
        if not records:
            return
        table = pa.Table.from_pylist(records, self._schema)
        if self._file is None:
            self._file = self._opened()
        if isinstance(self._file, pq.ParquetWriter):
            self._held.append(table)
            self._flush(GROUP_BYTES)
        else:
            self._file.writelines(f"{_line(record)}\n" for record in records)
        self._bytes += table.nbytes
        if self._bytes >= SHARD_BYTES:
            self._close()
            self._bytes, self._number = 0, self._number + 1

    def _flush(self, least: int = 0) -> None:
        """Write what is held, if it is so many bytes, as one row group."""
        if self._held and isinstance(self._file, pq.ParquetWriter) and sum(one.nbytes for one in self._held) >= least:
            self._file.write_table(pa.concat_tables(self._held))
            self._held.clear()

    def _close(self) -> None:
        if self._file:
            self._flush()
            self._file.close()
            self._file = None

    def _opened(self) -> Any:
        path = self._folder / f"{self._split}-{self._number:05}.{self._suffix}"
        if self._suffix == "jsonl":
            return path.open("w", encoding="utf-8")
        return pq.ParquetWriter(path, self._schema, compression="zstd")


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, default=lambda moment: moment.isoformat())
