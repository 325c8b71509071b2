"""Compares verification policies by yield, difficulty and error: simulated abilities, real verifiers and panel."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from tests.support.verification_sim import POLICIES, Remembering, accepted, candidates, outcome

WRONG, NATURAL = 0.4, 0.5


async def measure(count: int) -> dict[str, Any]:
    """Measure every policy on the same candidates."""
    worker = SymbolicWorker()
    drawn, grader = candidates(count, WRONG, NATURAL), Remembering(standard(worker))
    try:
        return {one.name: asdict(outcome(drawn, await accepted(one, drawn, grader))) for one in POLICIES}
    finally:
        await worker.aclose()


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print a table."""
    table = Table(
        "policy", "good kept", "hard kept", "mean difficulty", "misprints let in", "slips let in", "wrong rows",
        title="verification policies on the simulator: arithmetic, not models",
    )  # fmt: skip
    for name, row in figures.items():
        shares = (row[column] for column in ("misprints_in", "slips_in", "wrong_rows"))
        table.add_row(
            name,
            f"{row['good_kept']:.0%}",
            f"{row['hard_kept']:.0%}",
            f"{row['difficulty']:.2f}",
            *(f"{share:.1%}" for share in shares),
        )
    console.print(table)
