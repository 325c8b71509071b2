"""Which rows overlap with benchmarks, for the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from services.cli.common.dataset_location import last_plan
from services.cli.common.sanitize_terminal import as_text
from shared.config.plan_loader import load_plan
from shared.dataset.reports.contamination import Contamination

NOT_CHECKED = "Contamination: not checked. List test questions under `benchmarks` in a plan, and give it with --plan"
NEXT_STEP = "Delete them, and others are made: chimera dataset delete ID… --reason contaminated"
MAX_LISTED = 10


def contamination_of(directory: Path, plan: Path | None) -> Contamination:
    """Use the benchmarks of a plan, by default of the folder's last run."""
    chosen = load_plan(plan) if plan else last_plan(directory)
    return Contamination(chosen.benchmarks if chosen else {})


def table(contamination: Mapping[str, Any]) -> Table:
    """Return a table for a person."""
    lines = Table(title="Contamination", title_justify="left", box=None, pad_edge=False, header_style="dim")
    lines.add_column("benchmark")
    for name in ("questions", "contaminated rows", "mean Jaccard of 8 words", "of 13"):
        lines.add_column(name, justify="right")
    for name, one in contamination.items():
        indices = (f"{one['jaccard_8'] or 0:.2g}", f"{one['jaccard_13'] or 0:.2g}")
        lines.add_row(as_text(name), f"{one['questions']:,}", f"{len(one['known']):,}", *indices)
    return lines


def describe(contamination: Mapping[str, Any]) -> list[str]:
    """Return a line for each of the first contaminated rows, and the next step; an empty list without such rows."""
    contaminated = {id_: match for one in contamination.values() for id_, match in one["known"].items()}
    lines = [f"{id_}  {match}" for id_, match in list(contaminated.items())[:MAX_LISTED]]
    more = [f"and {len(contaminated) - MAX_LISTED:,} more: --json lists all"] if len(contaminated) > MAX_LISTED else []
    return [*lines, *more, NEXT_STEP] if contaminated else []
