"""Compares verification policies by yield, difficulty and error.

On the simulator's bank with real verifiers and panel; in hard worlds with belief's parameters known, also with evidence
that is requested piece by piece; and with belief that estimates its parameters, on a part of a grid or on all of it.
"""

from dataclasses import asdict
from os import cpu_count
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from tests.bench.belief import grid, hard_table, requested_evidence
from tests.support.verification_sim import POLICIES, Remembering, accepted, candidates, outcome

WRONG, NATURAL = 0.4, 0.5


async def measure(count: int, *, whole_grid: bool, runs: int) -> dict[str, Any]:
    """Measure every policy on the same `count` candidates, and on twelve times as many hard ones."""
    worlds = grid.GRID if whole_grid else grid.FOUR
    return {
        "bank": await _measure_bank(count),
        "hard": hard_table.measure(12 * count),
        "requested": requested_evidence.measure(12 * count),
        "grid": grid.measure(worlds, runs, cpu_count() or 1),
    }


async def _measure_bank(count: int) -> dict[str, Any]:
    worker = SymbolicWorker()
    drawn, grader = candidates(count, WRONG, NATURAL), Remembering(standard(worker))
    try:
        return {one.name: asdict(outcome(drawn, await accepted(one, drawn, grader))) for one in POLICIES}
    finally:
        await worker.aclose()


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print tables."""
    table = Table(
        "policy", "good kept", "hard kept", "mean difficulty", "misprints let in", "slips let in", "wrong rows",
        title="verification policies on the simulator: arithmetic, not models",
    )  # fmt: skip
    for name, row in figures["bank"].items():
        shares = (row[column] for column in ("misprints_in", "slips_in", "wrong_rows"))
        table.add_row(
            name,
            f"{row['good_kept']:.0%}",
            f"{row['hard_kept']:.0%}",
            f"{row['difficulty']:.2f}",
            *(f"{share:.1%}" for share in shares),
        )
    console.print(table)
    hard_table.show(console, figures["hard"])
    requested_evidence.show(console, figures["requested"])
    grid.show(console, figures["grid"])
