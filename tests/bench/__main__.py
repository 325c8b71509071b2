"""`make bench`: measures the factory's own cost; prints tables or (`--json`) one document.

    python -m tests.bench [--only models] [--rounds 3] [--rows 200] [--calls 1500] [--model-calls 1000] [--problems 1000]
                          [--grid] [--runs 2] [--console-rows 1000000] [--dataset-scale 1] [--json]

Timings on a shared machine are noisy: compare only figures of one run.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
from collections.abc import Collection
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import answers, four_stage, models, policies, screening, slots, stage, whole_flow
from tests.bench import console as console_pages
from tests.bench.dataset import growth

PARTS = ("four", "line", "synthesis", "stage", "models", "answers", "policies", "screening", "console", "dataset")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the factory itself costs.")
    parser.add_argument("--rows", type=int, default=200, help="rows of the whole line (200)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of the four stages and of its peer (3)")
    parser.add_argument("--calls", type=int, default=1500, help="calls of the one stage (1500)")
    parser.add_argument("--model-calls", type=int, default=1000, help="calls to each difficult endpoint (1000)")
    parser.add_argument("--problems", type=int, default=1000, help="problems that each policy verifies (1000)")
    parser.add_argument("--grid", action="store_true", help="belief on the whole grid of worlds, not on four cells")
    parser.add_argument("--runs", type=int, default=2, help="runs in each cell of the grid (2)")
    parser.add_argument("--console-rows", type=int, default=1_000_000, help="rows that the console pages (1,000,000)")
    parser.add_argument("--dataset-scale", type=float, default=1.0, help="multiplies the rows of the datasets (1)")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part to measure; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    figures = asyncio.run(measure(options.only or PARTS, options))
    if options.json:
        print(json.dumps(figures, indent=2))  # noqa: T201
    else:
        show(figures)


async def measure(parts: Collection[str], size: argparse.Namespace) -> dict[str, Any]:
    """Measure the named parts; return the figures as a document."""
    figures: dict[str, Any] = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}}
    if "four" in parts:
        figures["four"] = await four_stage.measure(500, size.rounds)
    if "synthesis" in parts:
        long = await slots.measure(size.calls)
        figures["synthesis"] = {"calls": long.calls, "seconds": long.seconds, "slots_busy": long.busy}
    if "stage" in parts:
        figures["stage"] = await stage.measure(size.calls)
    if "line" in parts:
        whole = await whole_flow.measure(size.rows)
        figures["start_s"] = whole.start_s
        figures["line"] = {"rows": whole.rows, "seconds": whole.seconds, "rows_per_s": whole.rows_per_s}
        figures["cpu_ms_per_event"], figures["events"] = whole.cpu_ms, whole.events
    if "models" in parts:
        figures["models"] = await models.measure(size.model_calls)
    if "answers" in parts:
        figures["answers"] = await answers.measure()
    if "policies" in parts:
        figures["policies"] = await policies.measure(size.problems, whole_grid=size.grid, runs=size.runs)
    if "screening" in parts:
        figures["screening"] = await screening.measure()
    if "console" in parts:
        figures["console"] = await console_pages.measure(size.console_rows)
    if "dataset" in parts:
        figures["dataset"] = await growth.measure(size.dataset_scale)
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print tables."""
    console = Console()
    if "four" in figures:
        four_stage.show(console, figures["four"])
    if "line" in figures:
        _show_line(console, figures)
    if "synthesis" in figures:
        long = figures["synthesis"]
        console.print(
            f"synthesis  {long['calls']} calls of {slots.LATENCY_S} s, {slots.IN_FLIGHT} in flight, in "
            f"{long['seconds']:.1f} s: slots {long['slots_busy']:.0%} busy"
        )
    if "stage" in figures:
        row = figures["stage"]
        console.print(
            f"one stage  {row['calls']} calls of {stage.LATENCY_S} s, {stage.IN_FLIGHT} in flight: "
            f"{row['rows_per_s']:.0f} rows/s of {row['ideal_per_s']:.0f}, {row['cpu_ms_per_row']:.2f} CPU-ms a row"
        )
    if "models" in figures:
        _show_models(console, figures["models"])
    if "answers" in figures:
        answers.show(console, figures["answers"])
    if "policies" in figures:
        policies.show(console, figures["policies"])
    if "screening" in figures:
        screening.show(console, figures["screening"])
    if "console" in figures:
        console_pages.show(console, figures["console"])
    if "dataset" in figures:
        growth.show(console, figures["dataset"])


def _show_line(console: Console, figures: dict[str, Any]) -> None:
    whole = figures["line"]
    start = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in figures["start_s"].items())
    console.print(f"start      {start}")
    console.print(f"whole line {whole['rows']} rows in {whole['seconds']:.1f} s: {whole['rows_per_s']:.1f} rows/s")
    table = Table("process", "events", "CPU-ms an event")
    for name, spent in sorted(figures["cpu_ms_per_event"].items(), key=lambda pair: -pair[1]):
        table.add_row(name, str(figures["events"].get(name, "")), f"{spent:.2f}")
    console.print(table)


def _show_models(console: Console, rows: list[dict[str, Any]]) -> None:
    calls, latency = rows[0]["calls"], models.LATENCY_S
    table = Table(
        "endpoint", "client", "seconds", "× ideal", "CPU-ms a call", "refused", "waiting, mean / most",
        title=f"{calls} calls of {latency} s, up to {models.IN_FLIGHT} in flight",
    )  # fmt: skip
    for row in rows:
        waiting = f"{row['waiting_mean']:.1f} / {row['waiting_most']}"
        table.add_row(
            f"{row['scenario']} (ideal {row['ideal_s']:.1f} s)",
            row["client"],
            f"{row['seconds']:.1f}",
            f"{row['seconds'] / row['ideal_s']:.2f}",
            f"{row['cpu_ms_per_call']:.2f}",
            str(row["refused"]),
            waiting,
        )
    console.print(table)


if __name__ == "__main__":
    main()
