"""Tables of programs that do the same work in turn: `runs` with program, rows, seconds and CPU-ms a row by process."""

import statistics
from collections.abc import Sequence
from typing import Any

from rich.table import Table


def programs_table(title: str, figures: dict[str, Any]) -> Table:
    """Return medians and spread of each program, beside the floor and the plainest asyncio program."""
    table = Table(
        "program", "seconds", "× floor", "× asyncio", "first row", "rows", "CPU-ms a row",
        title=f"{title}, floor {figures['floor_s']:.1f} s",
    )  # fmt: skip
    programs = dict.fromkeys(run["program"] for run in figures["runs"])
    runs = {name: [run for run in figures["runs"] if run["program"] == name] for name in programs}
    plain_s = statistics.median(run["seconds"] for run in runs["asyncio"])
    for name, its in runs.items():
        seconds = sorted(run["seconds"] for run in its)
        median = statistics.median(seconds)
        first = [run["first_row_s"] for run in its if run["first_row_s"] is not None]
        cpu = sorted(sum(run["cpu_ms_per_row"].values()) for run in its)
        table.add_row(
            name,
            f"{median:.1f} ({seconds[0]:.1f}-{seconds[-1]:.1f})",
            f"{median / figures['floor_s']:.2f}",
            f"{median / plain_s:.2f}",
            f"{statistics.median(first):.1f} s" if first else "",
            f"{statistics.median(run['rows'] for run in its):.0f}",
            f"{statistics.median(cpu):.2f} ({cpu[0]:.2f}-{cpu[-1]:.2f})",
        )
    return table


def processes_table(runs: Sequence[dict[str, Any]]) -> Table:
    """Return what a row costs each process, the dearest first."""
    table = Table("process", "CPU-ms a row")
    spent = {name: statistics.median(run["cpu_ms_per_row"][name] for run in runs) for name in runs[0]["cpu_ms_per_row"]}
    for name, milliseconds in sorted(spent.items(), key=lambda pair: -pair[1]):
        table.add_row(name, f"{milliseconds:.1f}")
    return table
