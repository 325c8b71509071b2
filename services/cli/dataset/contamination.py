"""Rows that match benchmark questions, by the rule that screening uses.

Rows are compared again on each call, because a benchmark may have been added after they were screened.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from schemas.config.policies import Benchmark
from services.cli.common.dataset_location import last_plan
from services.cli.common.sanitize_terminal import as_text
from shared.config.plan_loader import load_plan
from shared.text.contamination import Benchmarks

NOT_CHECKED = "Contamination: not checked. List test questions under `benchmarks` in a plan, and give it with --plan"
NEXT_STEP = "Delete them, and others are made: chimera dataset delete ID… --reason contaminated"
MAX_LISTED = 10


class Contamination:
    """Compares rows with benchmarks."""

    def __init__(self, benchmarks: Mapping[str, Benchmark]) -> None:
        """Load the benchmarks. Raises Refusal for an unreadable file."""
        self._benchmarks = Benchmarks.load(benchmarks)
        self._rows = 0
        self._contaminated: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._jaccard_8: defaultdict[str, float] = defaultdict(float)
        self._jaccard_13: defaultdict[str, float] = defaultdict(float)

    @classmethod
    def of(cls, directory: Path, plan: Path | None) -> "Contamination":
        """Use the benchmarks of a plan, by default of the folder's last run."""
        chosen = load_plan(plan) if plan else last_plan(directory)
        return cls(chosen.benchmarks if chosen else {})

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._rows += 1
        for match in self._benchmarks.known_from(row["problem"]):
            self._contaminated[match.benchmark].setdefault(row["id"], str(match))
        for match in self._benchmarks.closest(row["problem"]):
            self._jaccard_8[match.benchmark] += match.overlap.jaccard_8
            self._jaccard_13[match.benchmark] += match.overlap.jaccard_13

    def document(self) -> dict[str, dict[str, Any]]:
        """Return the figures by benchmark. Jaccard indices are means over rows, with the closest question of each."""
        return {
            name: {
                "questions": questions,
                "known": self._contaminated[name],
                "jaccard_8": self._jaccard_8[name] / self._rows if self._rows else None,
                "jaccard_13": self._jaccard_13[name] / self._rows if self._rows else None,
            }
            for name, questions in self._benchmarks.sizes.items()
        }


def table(contamination: Mapping[str, Any]) -> Table:
    """Return a table for a person."""
    lines = Table(title="Contamination", title_justify="left")
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
