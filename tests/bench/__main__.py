"""`make bench`: first figures of the factory's own cost, as a table or (`--json`) one document.

    python -m tests.bench [--rows 200] [--calls 1500] [--json]

Timings on a shared machine are noisy: compare figures of one run with each other.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import line, slots


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the factory itself costs.")
    parser.add_argument("--rows", type=int, default=200, help="rows of the whole line (200)")
    parser.add_argument("--calls", type=int, default=1500, help="calls of the one stage (1500)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    figures = asyncio.run(measure(options.rows, options.calls))
    if options.json:
        print(json.dumps(figures, indent=2))  # noqa: T201
    else:
        show(figures)


async def measure(rows: int, calls: int) -> dict[str, Any]:
    """All figures, as a document."""
    stage = await slots.measure(calls)
    whole = await line.measure(rows)
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "start_s": whole.start_s,
        "line": {"rows": whole.rows, "seconds": whole.seconds, "rows_per_s": whole.rows_per_s},
        "cpu_ms_per_event": whole.cpu_ms,
        "events": whole.events,
        "synthesis": {"calls": stage.calls, "seconds": stage.seconds, "slots_busy": stage.busy},
    }


def show(figures: dict[str, Any]) -> None:
    """Print for a person."""
    console = Console()
    whole, stage = figures["line"], figures["synthesis"]
    start = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in figures["start_s"].items())
    console.print(f"start      {start}")
    console.print(f"whole line {whole['rows']} rows in {whole['seconds']:.1f} s: {whole['rows_per_s']:.1f} rows/s")
    console.print(
        f"synthesis  {stage['calls']} calls of {slots.LATENCY_S} s, {slots.IN_FLIGHT} in flight, in "
        f"{stage['seconds']:.1f} s: slots {stage['slots_busy']:.0%} busy"
    )
    table = Table("process", "events", "CPU-ms an event")
    for name, spent in sorted(figures["cpu_ms_per_event"].items(), key=lambda pair: -pair[1]):
        table.add_row(name, str(figures["events"].get(name, "")), f"{spent:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
