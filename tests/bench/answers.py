"""Measures precision, recall and speed of the rules for comparing answers, on labelled pairs, by method and in total.

Precision of yes: fraction of the pairs called equal that are equal. Recall: fraction of the equal pairs that are called
equal; the rest is left to a judge. The pairs are hard cases, not a sample of what models write.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.item import Agreement
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from tests.support.answer_pairs import PAIRS

ROUNDS = 5
OUTPUT: tuple[Agreement, ...] = ("yes", "no", "unsure")


async def measure() -> dict[str, Any]:
    """Compare every pair in several rounds; outcomes are those of the first round."""
    worker = SymbolicWorker()
    grader = standard(worker)
    try:
        found = [await grader.compare(pair.key, pair.answer, pair.type) for pair in PAIRS]
        started = time.perf_counter()
        for _ in range(ROUNDS):
            for pair in PAIRS:
                await grader.compare(pair.key, pair.answer, pair.type)
        seconds = time.perf_counter() - started
    finally:
        await worker.aclose()
    outcomes = Counter((one.method, pair.truth, one.agrees) for pair, one in zip(PAIRS, found, strict=True))
    methods = sorted({method for method, _, _ in outcomes})
    rows = {method: _figures({key[1:]: n for key, n in outcomes.items() if key[0] == method}) for method in methods}
    total = Counter((pair.truth, one.agrees) for pair, one in zip(PAIRS, found, strict=True))
    return {"pairs_per_s": ROUNDS * len(PAIRS) / seconds, "methods": rows, "all": _figures(total)}


def _figures(outcomes: Mapping[tuple[Agreement, Agreement], int]) -> dict[str, Any]:
    """Return precision and recall of `yes` and of `no`; None where the denominator is 0."""
    figures: dict[str, Any] = {"pairs": sum(outcomes.values())}
    figures |= {output: sum(n for (_, got), n in outcomes.items() if got == output) for output in OUTPUT}
    for output in ("yes", "no"):
        right = outcomes.get((output, output), 0)
        wanted = sum(n for (truth, _), n in outcomes.items() if truth == output)
        figures[f"precision_{output}"] = right / figures[output] if figures[output] else None
        figures[f"recall_{output}"] = right / wanted if wanted else None
    return figures


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print a table."""
    table = Table(
        "method", "pairs", *OUTPUT, "precision yes", "recall yes", "precision no", "recall no",
        title=f"answers: {figures['pairs_per_s']:.0f} pairs/s by one worker, one at a time",
    )  # fmt: skip
    for name, row in (*figures["methods"].items(), ("all", figures["all"])):
        shares = (row[f"{kind}_{output}"] for output in ("yes", "no") for kind in ("precision", "recall"))
        counts = (str(row[column]) for column in ("pairs", *OUTPUT))
        table.add_row(name, *counts, *("-" if share is None else f"{share:.0%}" for share in shares))
    console.print(table)
