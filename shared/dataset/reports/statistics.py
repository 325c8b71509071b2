"""The figures of a dataset, as one JSON document. Unknown is null."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice
from statistics import fmean
from typing import Any

from schemas.config.policies import Difficulty
from schemas.outcomes import Admission
from shared.dataset.query import id_in
from shared.dataset.reader import Dataset
from shared.dataset.reports.contamination import Contamination
from shared.dataset.reports.coverage import Coverage
from shared.text.clusters import Sketch

PAPER_WORDS = {"problem": 211, "solution": 11_121}
"""Mean words in the dataset of the CHIMERA paper."""

MEASURED_ROWS = 2000
"""Most rows whose words are counted."""

UNKNOWN = "unknown"

_CORRECT = {True: "yes", False: "no", None: "cannot tell"}


def count(
    dataset: Dataset, benchmarks: Contamination, difficulty: Difficulty, sketches: Mapping[str, Sketch] | None = None
) -> dict[str, Any]:
    """Return all figures, also those that compare each problem with the others and with benchmarks.

    Without benchmarks, only problems are read that are not among the stored `sketches`.
    """
    coverage, sketches = Coverage(), sketches or {}
    unknown = set[str]()
    for row in dataset.rows.columns("id", "subject", "topic"):
        if row["id"] in sketches:
            coverage.add(row, sketches[row["id"]])
        else:
            unknown.add(row["id"])
    if unknown or benchmarks:
        for row in dataset.rows.columns("id", "subject", "topic", "problem", where=_any_of(unknown, benchmarks)):
            if row["id"] in unknown:
                coverage.add(row)
            benchmarks.add(row)
    return {
        **figures(dataset, difficulty),
        "coverage": coverage.document(),
        "contamination": benchmarks.document(),
    }


def figures(dataset: Dataset, difficulty: Difficulty) -> dict[str, Any]:
    """Return the figures that the tables' columns give, quickly. `difficulty` has the bins."""
    rejected = {
        reason or "none": n
        for (kind, reason), n in dataset.ledger.counts("kind", "reason").items()
        if kind == "rejected"
    }
    kinds, rows = dataset.ledger.counts("kind"), len(dataset.rows)
    ended = rows + sum(rejected.values())
    cost, admitted = _spent(dataset, "cost"), dataset.rows.counts("admission")[(Admission.IN,)]
    return {
        "version": dataset.rows.version,
        "rows": rows,
        "simulated": dataset.rows.counts("simulated")[(True,)],
        "by_subject": _by_subject(dataset.rows.counts("subject", "admission")),
        "rejected_by_subject": _named(dataset.ledger.counts("subject", where="kind = 'rejected'")),
        "by_tier": _named(dataset.rows.counts("tier")),
        "by_answer_type": _named(dataset.rows.counts("answer_type")),
        "by_split": _named(dataset.rows.counts("split")),
        "by_difficulty": _by_difficulty(dataset.rows.counts("difficulty"), difficulty),
        "difficulty_bins": difficulty.bins,
        "correct": {_CORRECT[value]: n for (value,), n in dataset.rows.counts("correct").items()},
        "rejected": dict(sorted(rejected.items(), key=lambda pair: -pair[1])),
        "further_attempts": kinds[("attempt",)],
        "deleted": kinds[("deleted",)],
        "yield": rows / ended if ended else None,
        "mean_words": _mean_words(dataset),
        "paper_mean_words": PAPER_WORDS,
        "tokens": _spent(dataset, "tokens"),
        "cost": cost,
        "cost_per_row": cost["known"] / admitted if admitted and not cost["unknown_items"] else None,
    }


def _any_of(unknown: Collection[str], benchmarks: Contamination) -> str:
    return "true" if benchmarks or len(unknown) > MEASURED_ROWS else id_in(unknown)


def _by_subject(counts: Counter[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    subjects = sorted({subject for subject, _ in counts})
    return {name: {admission: counts[name, admission] for admission in Admission} for name in subjects}


def _named(counts: Counter[tuple[Any, ...]]) -> dict[str, int]:
    return {name: number for (name,), number in counts.most_common()}


def _by_difficulty(counts: Counter[tuple[Any, ...]], difficulty: Difficulty) -> dict[str, int]:
    bins = Counter[str]()
    for (value,), number in counts.items():
        bins[difficulty.bin(value) or UNKNOWN] += number
    return {name: bins[name] for name in (*difficulty.bins, UNKNOWN) if bins[name]}


def describe_bins(bins: Mapping[str, float]) -> str:
    """Return the bins with their upper ends: `easy to 0.3, medium to 0.8, hard to 1`."""
    return ", ".join(f"{name} to {end:g}" for name, end in bins.items())


def _mean_words(dataset: Dataset) -> dict[str, float | None]:
    texts = dataset.rows.columns("problem", "reasoning", "solution")
    words = [
        (len(one["problem"].split()), len(one["reasoning"].split()) + len(one["solution"].split()))
        for one in islice(texts, MEASURED_ROWS)
    ]
    return {
        "problem": fmean(problem for problem, _ in words) if words else None,
        "solution": fmean(solution for _, solution in words) if words else None,
        "rows": len(words),
    }


def _spent(dataset: Dataset, column: str) -> dict[str, float]:
    """Sum over all ended problems. A row includes its earlier attempts in the ledger."""
    parts = (dataset.rows.total(column), dataset.ledger.total(column, "kind = 'rejected'"))
    return {
        "known": float(sum(part["known"] or 0 for part in parts)),
        "unknown_items": sum(part["unknown_items"] for part in parts),
    }
