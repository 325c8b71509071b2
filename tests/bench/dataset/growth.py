"""The dataset as it grows: what a commit costs and leaves on the disk; how long it takes to open and to read.

The first two cases write through the sink, each row 6 kB, a release every 1,000 rows, old files kept for a minute. The
large ones are loaded, and then opened, written and read in processes of their own.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from schemas.events import AuditJudged
from services.aggregator.handler import Curate
from shared.clock import utc_now
from shared.dataset import Dataset
from shared.ports import Record
from tests.bench.dataset.loader import identity, load, solution
from tests.support.items import plan, record

T = TypeVar("T")

GROWTH = ((12, 12_000), (1, 20_000))
"""Rows a commit, and rows."""
LARGE = (10_000, 100_000, 1_000_000)
READ = 100_000
"""Largest dataset that the commands read."""
RELEASE_ROWS = 1000
LARGE_WORDS = 300
"""Words of a row of a large dataset: 2 kB."""
APPENDED = 200
"""Commits of one row to a large dataset."""
RETENTION = timedelta(minutes=1)
TOPIC = "solution.checked"


async def measure(scale: float) -> dict[str, Any]:
    """All figures; `scale` multiplies the numbers of rows."""
    growth = [await grow(each, int(rows * scale)) for each, rows in GROWTH]
    return {"growth": growth, "large": [_large(int(rows * scale)) for rows in LARGE]}


async def grow(each: int, rows: int) -> dict[str, Any]:
    """Write rows through the sink, `each` a commit, and publish after each, as the loop of a sink does."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sink, cursor = await _open(folder, rows), None
        for begin in range(0, rows, each):
            records = [record(solution(number), number) for number in range(begin, begin + each)]
            began = time.perf_counter()
            cursor = await _write(sink, records, cursor)
            took.append(time.perf_counter() - began)
        live = _live_bytes(folder)
        disk, log = _bytes(folder), _bytes(folder / "rows" / "_delta_log")
    tenth = len(took) // 10
    first, last = median(took[:tenth]), median(took[-tenth:])
    return {
        "rows_a_commit": each,
        "rows": rows,
        "live_mb": live / 1e6,
        "disk_per_live": disk / live,
        "log_mb": log / 1e6,
        "write_ms_first": first * 1000,
        "write_ms_last": last * 1000,
        "write_last_per_first": last / first,
        "stall_s_first_half": max(took[: len(took) // 2]),
        "stall_s_second_half": max(took[len(took) // 2 :]),
    }


async def _open(folder: Path, rows: int) -> Curate:
    sink = Curate(folder, "test", plan(rows, every=RELEASE_ROWS), utc_now, _ignore, RETENTION)
    await sink.open({TOPIC: "one"})
    return sink


async def _write(sink: Curate, records: Sequence[Record], cursor: str | None) -> str:
    await sink.write(records)
    return (await asyncio.to_thread(sink.outbox, cursor))[1]


def _ignore(_: AuditJudged) -> None:
    """Audits are not measured."""


def _large(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "dataset"
        load(folder, rows, words=LARGE_WORDS)
        figures = {"rows": rows, "live_mb": _live_bytes(folder) / 1e6, **_in_process(_opened, folder, rows)}
        figures["log_mb"] = _bytes(folder / "rows" / "_delta_log") / 1e6
        return figures | (_commands(Path(name), rows) if rows <= READ else {})


def _opened(folder: Path, rows: int) -> dict[str, float]:
    """Open a dataset and append to it; runs in a process of its own."""
    return asyncio.run(_appended(folder, rows))


async def _appended(folder: Path, rows: int) -> dict[str, float]:
    before, began = _peak_mb(), time.perf_counter()
    sink = await _open(folder, 2 * rows)
    opened = time.perf_counter() - began
    cursor, took = sink.outbox(None)[1], []
    for number in range(rows, rows + APPENDED):
        began = time.perf_counter()
        cursor = await _write(sink, [record(solution(number, LARGE_WORDS), number)], cursor)
        took.append(time.perf_counter() - began)
    return {"open_s": opened, "memory_mb": _peak_mb() - before, "write_ms": median(took) * 1000, "stall_s": max(took)}


def _commands(directory: Path, rows: int) -> dict[str, float]:
    figures = {"start_s": _command("--help")[0]}
    figures["stats_s"], _ = _command("dataset", "stats", "--dir", str(directory))
    figures["show_s"], _ = _command("dataset", "show", identity(rows // 2), "--dir", str(directory))
    export = ("dataset", "export", "--version", "now", "--format", "chimera", "--out", str(directory / "out"))
    figures["export_s"], figures["export_mb"] = _command(*export, "--dir", str(directory))
    return figures


def _command(*arguments: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of a command, its start included."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "services.cli", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return time.perf_counter() - began, used.ru_maxrss / 1000


def _in_process(work: Callable[..., T], *arguments: Any) -> T:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _live_bytes(folder: Path) -> int:
    dataset = Dataset.open(folder)
    return sum(sum(one.delta.get_add_actions()["size_bytes"].to_pylist()) for one in (dataset.rows, dataset.ledger))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print one table, a column for each case."""
    table = Table("dataset", *(f"{one['rows']:,} rows, {one['rows_a_commit']} a commit" for one in figures["growth"]),
                  *(f"{one['rows']:,} rows" for one in figures["large"]), "goal")  # fmt: skip
    cases = [*figures["growth"], *figures["large"]]
    for title, key, form, goal in LINES:
        table.add_row(title, *(form.format(one[key]) if key in one else "" for one in cases), goal)
    console.print(table)


LINES = (
    ("live MB", "live_mb", "{:.0f}", ""),
    ("on disk, × live", "disk_per_live", "{:.2f}", "2.5"),
    ("_delta_log of the rows, MB", "log_mb", "{:.2f}", ""),
    ("a write, ms: first tenth", "write_ms_first", "{:.0f}", ""),
    ("last tenth", "write_ms_last", "{:.0f}", ""),
    ("last / first", "write_last_per_first", "{:.2f}", "1.3"),
    ("longest write, s: first half", "stall_s_first_half", "{:.2f}", "0.3"),
    ("second half", "stall_s_second_half", "{:.2f}", "0.3"),
    ("open, s", "open_s", "{:.2f}", ""),
    ("memory beyond an empty process, MB", "memory_mb", "{:.0f}", ""),
    ("a write of one row, ms", "write_ms", "{:.0f}", ""),
    ("longest of them, s", "stall_s", "{:.2f}", ""),
    ("start of any command, s", "start_s", "{:.2f}", ""),
    ("chimera dataset stats, s", "stats_s", "{:.2f}", "1 at 10 k, 5 at 100 k"),
    ("chimera dataset show, s", "show_s", "{:.2f}", "0.4"),
    ("chimera dataset export, s", "export_s", "{:.1f}", ""),
    ("its memory, MB", "export_mb", "{:.0f}", "flat"),
)
"""Title, key of the figure, its form and its goal."""
