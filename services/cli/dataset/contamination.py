"""Which rows are known from test questions, by the rule that screening refuses problems by.

A benchmark may have been added after rows passed: so they are held against it again whenever somebody looks.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from schemas.config.policies import Benchmark
from services.cli.common.sanitize_terminal import as_text
from shared.config.plan_loader import load_plan
from shared.text.contamination import Benchmarks

NOT_CHECKED = "Contamination: not checked; name test questions as `benchmarks` in a plan, and give it with --plan"
NEXT_STEP = "Delete them and others are grown: chimera dataset delete ID… --reason contaminated"
LISTED = 10


class Contamination:
    """Rows held against benchmarks, one by one."""

    def __init__(self, benchmarks: Mapping[str, Benchmark]) -> None:
        """Read the files. Raises Refusal when one cannot be."""
        self._benchmarks = Benchmarks.load(benchmarks)
        self._rows = 0
        self._known: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._jaccard_8: defaultdict[str, float] = defaultdict(float)
        self._jaccard_13: defaultdict[str, float] = defaultdict(float)

    @classmethod
    def of(cls, directory: Path, plan: Path | None) -> "Contamination":
        """With the benchmarks of a plan, by default of the one that the folder was last run with."""
        file = plan or directory / "plan.yaml"
        return cls(load_plan(file).benchmarks if plan or file.exists() else {})

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one row."""
        self._rows += 1
        for match in self._benchmarks.closest(row["problem"]):
            if match.contaminated:
                self._known[match.benchmark][row["id"]] = str(match)
            self._jaccard_8[match.benchmark] += match.overlap.jaccard_8
            self._jaccard_13[match.benchmark] += match.overlap.jaccard_13

    def document(self) -> dict[str, dict[str, Any]]:
        """By benchmark; empty when there is none. The Jaccard indices, with the closest question, are means."""
        return {
            name: {
                "questions": questions,
                "known": self._known[name],
                "jaccard_8": self._jaccard_8[name] / self._rows if self._rows else None,
                "jaccard_13": self._jaccard_13[name] / self._rows if self._rows else None,
            }
            for name, questions in self._benchmarks.sizes.items()
        }


def table(contamination: Mapping[str, Any]) -> Table:
    """What was found, for a person."""
    found = Table(title="Contamination", title_justify="left")
    found.add_column("benchmark")
    for name in ("questions", "rows known from it", "mean Jaccard of 8 words", "of 13"):
        found.add_column(name, justify="right")
    for name, one in contamination.items():
        indices = (f"{one['jaccard_8'] or 0:.2g}", f"{one['jaccard_13'] or 0:.2g}")
        found.add_row(as_text(name), f"{one['questions']:,}", f"{len(one['known']):,}", *indices)
    return found


def named(contamination: Mapping[str, Any]) -> list[str]:
    """The first rows that are known, a line each, and what to do; nothing when there are none."""
    known = {id_: match for one in contamination.values() for id_, match in one["known"].items()}
    lines = [f"{id_}  {match}" for id_, match in list(known.items())[:LISTED]]
    more = [f"and {len(known) - LISTED:,} more: --json has them all"] if len(known) > LISTED else []
    return [*lines, *more, NEXT_STEP] if known else []
