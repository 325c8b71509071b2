"""The dataset as it grows: what a commit costs and leaves on the disk; how long it takes to open and to read.

The first two cases write through the sink, each row 6 kB, a release every 1,000 rows, old files kept for a minute. The
large ones are loaded, and then opened, written and read in processes of their own.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeVar, cast

import psutil
from rich.console import Console
from rich.table import Table

from schemas.events import AuditJudged
from services.aggregator import outbox
from services.aggregator.__main__ import SWITCH_S
from services.aggregator.handler import Curate
from shared.clock import utc_now
from shared.dataset import Dataset
from shared.dataset.sketches import add_sketches
from shared.ports import Record
from shared.runtime.background_task import BackgroundWork
from shared.runtime.sink import PUBLISH_WAIT_S
from tests.bench.dataset import idle
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


CASES = ("12", "1", *(f"{rows}" for rows in LARGE), "idle")
"""Rows a commit through the sink; rows of a loaded dataset; the idle factory."""


async def measure(scale: float, cases: Collection[str] = CASES) -> dict[str, Any]:
    """All figures, or those of some cases; `scale` multiplies the numbers of rows."""
    figures: dict[str, Any] = {
        "growth": [await grow(each, int(rows * scale)) for each, rows in GROWTH if f"{each}" in cases],
        "large": [_large(int(rows * scale)) for rows in LARGE if f"{rows}" in cases],
    }
    return figures | ({"idle": await idle.measure()} if "idle" in cases else {})


async def grow(each: int, rows: int) -> dict[str, Any]:
    """Write rows through the sink, `each` a commit, and publish after each, as the loop of a sink does."""
    took, cpu = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sink, cursor = await _open(folder, rows), cast("str | None", None)

        async def publish() -> None:
            nonlocal cursor
            _, cursor = await asyncio.to_thread(sink.outbox, cursor)

        publication = BackgroundWork(publish)
        for begin in range(0, rows, each):
            records = [record(solution(number), number) for number in range(begin, begin + each)]
            began, used = time.perf_counter(), time.process_time()
            await sink.write(records)
            await publication.request(PUBLISH_WAIT_S)
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
        await publication.finish()
        await sink.finish()
        live = _live_bytes(folder)
        disk, log = _bytes(folder), _bytes(folder / "rows" / "_delta_log")
    tenth = len(took) // 10
    first, last = median(took[:tenth]), median(took[-tenth:])
    first_cpu, last_cpu = sum(cpu[:tenth]) / tenth, sum(cpu[-tenth:]) / tenth
    return {
        "rows_a_commit": each,
        "rows": rows,
        "live_mb": live / 1e6,
        "disk_per_live": disk / live,
        "log_mb": log / 1e6,
        "write_ms_first": first * 1000,
        "write_ms_last": last * 1000,
        "write_last_per_first": last / first,
        "write_cpu_ms": last_cpu * 1000,
        "write_cpu_last_per_first": last_cpu / first_cpu,
        "stall_s_first_half": max(took[: len(took) // 2]),
        "stall_s_second_half": max(took[len(took) // 2 :]),
    }


async def _open(folder: Path, rows: int) -> Curate:
    sys.setswitchinterval(SWITCH_S)
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
        _in_process(_load, folder, rows)
        figures = {"rows": rows, "live_mb": _live_bytes(folder) / 1e6, **_in_process(_opened, folder, rows)}
        figures["log_mb"] = _bytes(folder / "rows" / "_delta_log") / 1e6
        return figures | (_commands(Path(name), rows) if rows <= READ else {})


def _load(folder: Path, rows: int) -> None:
    """Load rows; a dataset that the commands read gets its sketches too, as the aggregator adds them."""
    load(folder, rows, words=LARGE_WORDS)
    while rows <= READ and add_sketches(folder):
        pass


def _opened(folder: Path, rows: int) -> dict[str, float]:
    """Open a dataset and append to it; runs in a process of its own."""
    return asyncio.run(_appended(folder, rows))


async def _appended(folder: Path, rows: int) -> dict[str, float]:
    before, began = _memory_mb(), time.perf_counter()
    sink = await _open(folder, 2 * rows)
    opened = time.perf_counter() - began
    memory = _memory_mb() - before
    table = Dataset.open(folder).rows.delta
    cursor, took = outbox.format_cursor(str(table.metadata().id), table.version()), list[float]()
    for number in range(rows, rows + APPENDED):
        began = time.perf_counter()
        cursor = await _write(sink, [record(solution(number, LARGE_WORDS), number)], cursor)
        took.append(time.perf_counter() - began)
    return {"open_s": opened, "memory_mb": memory, "write_ms": median(took) * 1000, "stall_s": max(took)}


def _commands(directory: Path, rows: int) -> dict[str, float]:
    out = ("--version", "now", "--format", "chimera", "--out", str(directory / "out"))
    commands = {"stats": (), "show": (identity(rows // 2),), "export": out}
    figures = dict[str, float]()
    for name, options in commands.items():
        spent = _command("dataset", name, *options, "--dir", str(directory))
        figures |= dict(zip((f"{name}_s", f"{name}_cpu_s", f"{name}_mb"), spent, strict=True))
    return figures | {"start_cpu_s": _command("dataset", "stats", "--help")[1]}


def _command(*arguments: str) -> tuple[float, float, float]:
    """Return the seconds, the CPU seconds and the peak memory in MB of a command, its start included."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "services.cli", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def _in_process(work: Callable[..., T], *arguments: Any) -> T:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def _live_bytes(folder: Path) -> int:
    dataset = Dataset.open(folder)
    return sum(sum(one.delta.get_add_actions()["size_bytes"].to_pylist()) for one in (dataset.rows, dataset.ledger))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print one table, a column for each case."""
    growth = [f"{one['rows']:,}\n{one['rows_a_commit']} a commit" for one in figures["growth"]]
    table = Table("rows", *growth, *(f"{one['rows']:,}\nloaded" for one in figures["large"]), "goal", title="dataset")
    cases = [*figures["growth"], *figures["large"]]
    for title, key, form, goal in (line for line in LINES if any(line[1] in case for case in cases)):
        table.add_row(title, *(form.format(one[key]) if key in one else "" for one in cases), goal)
    if cases:
        console.print(table)
    if "idle" not in figures:
        return
    hops = ", ".join(f"{name} {ms:.0f}" for name, ms in figures["idle"]["hops_ms"].items())
    console.print(f"one problem through an idle factory: {figures['idle']['own_ms']:.0f} ms (goal 150); hops: {hops}")


LINES = (
    ("live MB", "live_mb", "{:.0f}", ""),
    ("on disk, × live", "disk_per_live", "{:.2f}", "2.5"),
    ("_delta_log of rows, MB", "log_mb", "{:.2f}", ""),
    ("write, ms: first tenth", "write_ms_first", "{:.0f}", ""),
    ("last tenth", "write_ms_last", "{:.0f}", ""),
    ("last / first", "write_last_per_first", "{:.2f}", "1.3"),
    ("write, CPU-ms", "write_cpu_ms", "{:.1f}", ""),
    ("last / first", "write_cpu_last_per_first", "{:.2f}", "1.3"),
    ("longest, s: first half", "stall_s_first_half", "{:.2f}", "0.3"),
    ("second half", "stall_s_second_half", "{:.2f}", "0.3"),
    ("open, s", "open_s", "{:.2f}", ""),
    ("memory for it, MB", "memory_mb", "{:.0f}", ""),
    ("write of one row, ms", "write_ms", "{:.0f}", ""),
    ("longest, s", "stall_s", "{:.2f}", ""),
    ("start, CPU s", "start_cpu_s", "{:.2f}", ""),
    ("stats, s", "stats_s", "{:.2f}", "1, 5"),
    ("stats, CPU s", "stats_cpu_s", "{:.2f}", ""),
    ("show, s", "show_s", "{:.2f}", "0.4"),
    ("show, CPU s", "show_cpu_s", "{:.2f}", ""),
    ("export, s", "export_s", "{:.1f}", ""),
    ("export, CPU s", "export_cpu_s", "{:.1f}", ""),
    ("export, MB", "export_mb", "{:.0f}", "flat"),
)
"""Title, key of the figure, its form and its goal."""
