"""How well the rules for comparing answers do on the labelled pairs, and how fast: by method, and in all.

Precision of yes: of the pairs that a method called equal, how many are. Recall: of the pairs that are equal, how many
it called so; the rest is left to a judge. The pairs were collected for their traps; they are no sample of what models
write.
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
SAID: tuple[Agreement, ...] = ("yes", "no", "unsure")


async def measure() -> dict[str, Any]:
    """Compare every pair, a few times over; the figures of the first round count as outcomes."""
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
    """Precision and recall of `yes` and of `no`; None where there is nothing to divide by."""
    figures: dict[str, Any] = {"pairs": sum(outcomes.values())}
    figures |= {said: sum(n for (_, got), n in outcomes.items() if got == said) for said in SAID}
    for said in ("yes", "no"):
        right = outcomes.get((said, said), 0)
        wanted = sum(n for (truth, _), n in outcomes.items() if truth == said)
        figures[f"precision_{said}"] = right / figures[said] if figures[said] else None
        figures[f"recall_{said}"] = right / wanted if wanted else None
    return figures


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print as a table."""
    table = Table(
        "method", "pairs", *SAID, "precision yes", "recall yes", "precision no", "recall no",
        title=f"answers: {figures['pairs_per_s']:.0f} pairs/s by one worker, one at a time",
    )  # fmt: skip
    for name, row in (*figures["methods"].items(), ("all", figures["all"])):
        shares = (row[f"{kind}_{said}"] for said in ("yes", "no") for kind in ("precision", "recall"))
        counts = (str(row[column]) for column in ("pairs", *SAID))
        table.add_row(name, *counts, *("-" if share is None else f"{share:.0%}" for share in shares))
    console.print(table)
