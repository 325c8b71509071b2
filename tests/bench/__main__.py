"""`make bench`: measures the factory's own cost; prints tables or (`--json`) one document.

    python -m tests.bench [--only models] [--rounds 3] [--rows 200] [--calls 1500] [--model-calls 1000]
                          [--problems 1000] [--grid] [--runs 2] [--verified 400] [--console-rows 1000000]
                          [--dataset-scale 1] [--dataset-case 12] [--json]

Timings on a shared machine are noisy: compare only figures of one run.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import answers, models, planner, policies, screening
from tests.bench import console as console_pages
from tests.bench.dataset import growth
from tests.bench.flow import four_stage, known_truth, slots, stage, whole_flow

PARTS = (
    "four",
    "line",
    "synthesis",
    "stage",
    "models",
    "planner",
    "answers",
    "policies",
    "truth",
    "screening",
    "console",
    "dataset",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the factory itself costs.")
    parser.add_argument("--rows", type=int, default=200, help="rows of the whole line (200)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program that has a peer (3)")
    parser.add_argument("--calls", type=int, default=1500, help="calls of the one stage (1500)")
    parser.add_argument("--model-calls", type=int, default=1000, help="calls to each difficult endpoint (1000)")
    parser.add_argument("--problems", type=int, default=1000, help="problems that each policy verifies (1000)")
    parser.add_argument("--grid", action="store_true", help="belief on the whole grid of worlds, not on four cells")
    parser.add_argument("--runs", type=int, default=2, help="runs in each cell of the grid (2)")
    parser.add_argument("--verified", type=int, default=400, help="problems that the factory verifies end to end (400)")
    parser.add_argument("--console-rows", type=int, default=1_000_000, help="rows that the console pages (1,000,000)")
    parser.add_argument("--dataset-scale", type=float, default=1.0, help="multiplies the rows of the datasets (1)")
    parser.add_argument("--dataset-case", choices=growth.CASES, action="append", help="a case of it; all by default")
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
    measurements: dict[str, Callable[[], Awaitable[Any]]] = {
        "four": lambda: four_stage.measure(500, size.rounds),
        "synthesis": lambda: slots.measure(size.calls),
        "stage": lambda: stage.measure(size.calls, size.rounds),
        "line": lambda: whole_flow.measure(size.rows),
        "models": lambda: models.measure(size.model_calls),
        "planner": planner.measure,
        "answers": answers.measure,
        "policies": lambda: policies.measure(size.problems, whole_grid=size.grid, runs=size.runs),
        "truth": lambda: known_truth.measure(size.verified),
        "screening": screening.measure,
        "console": lambda: console_pages.measure(size.console_rows),
        "dataset": lambda: growth.measure(size.dataset_scale, size.dataset_case or growth.CASES),
    }
    for part, measurement in measurements.items():
        if part in parts:
            figures[part] = await measurement()
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print tables."""
    shows: dict[str, Callable[[Console, Any], None]] = {
        "four": four_stage.show,
        "line": _show_line,
        "synthesis": slots.show,
        "stage": stage.show,
        "models": _show_models,
        "planner": planner.show,
        "answers": answers.show,
        "policies": policies.show,
        "truth": known_truth.show,
        "screening": screening.show,
        "console": console_pages.show,
        "dataset": growth.show,
    }
    console = Console()
    for part, show_part in shows.items():
        if part in figures:
            show_part(console, figures[part])


def _show_line(console: Console, whole: dict[str, Any]) -> None:
    start = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in whole["start_s"].items())
    console.print(f"start      {start}")
    console.print(f"whole line {whole['rows']} rows in {whole['seconds']:.1f} s: {whole['rows_per_s']:.1f} rows/s")
    table = Table("process", "events", "CPU-ms an event")
    for name, spent in sorted(whole["cpu_ms_per_event"].items(), key=lambda pair: -pair[1]):
        table.add_row(name, str(whole["events"].get(name, "")), f"{spent:.2f}")
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
