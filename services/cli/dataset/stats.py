"""`chimera dataset stats`: figures of the dataset."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.config.policies import Difficulty
from schemas.outcomes import Admission
from services.cli.common.sanitize_terminal import as_text
from services.cli.dataset import contamination
from services.cli.dataset.contamination import Contamination
from services.cli.dataset.coverage import MEANING, PAPER, Coverage
from shared.dataset import Dataset

PAPER_WORDS = {"problem": 211, "solution": 11_121}
"""Mean words in the dataset of the CHIMERA paper."""

MEASURED_ROWS = 2000
"""Most rows whose words are counted."""

SHOWN = (
    ("Tier", "by_tier"),
    ("Correct", "correct"),
    ("Difficulty", "by_difficulty"),
    ("Answer type", "by_answer_type"),
    ("Split", "by_split"),
    ("Rejected", "rejected"),
)
"""Title of a table of counts, and its key in the document."""

UNKNOWN = "unknown"
ENDS = (*Admission, "rejected")

_CORRECT = {True: "yes", False: "no", None: "cannot tell"}


def count(dataset: Dataset, benchmarks: Contamination, difficulty: Difficulty) -> dict[str, Any]:
    """Return all figures as one JSON document. Unknown is null. `difficulty` has the bins."""
    rejected = {
        reason or "none": n
        for (kind, reason), n in dataset.ledger.counts("kind", "reason").items()
        if kind == "rejected"
    }
    kinds, coverage = dataset.ledger.counts("kind"), Coverage()
    for row in dataset.rows.columns("id", "subject", "topic", "problem"):
        coverage.add(row)
        benchmarks.add(row)
    rows = len(dataset.rows)
    ended = rows + sum(rejected.values())
    cost, admitted = _spent(dataset, "cost"), dataset.rows.counts("admission")[(Admission.IN,)]
    return {
        "version": dataset.rows.version,
        "rows": rows,
        "simulated": dataset.rows.counts("simulated")[(True,)],
        "by_subject": _by_subject(dataset.rows.counts("subject", "admission")),
        "rejected_by_subject": _named(dataset.ledger.counts("subject", where="kind = 'rejected'")),
        "coverage": coverage.document(),
        "contamination": benchmarks.document(),
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


def render(figures: Mapping[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    if figures["simulated"]:
        console.print(
            f"SIMULATED: a simulator answered in place of the models for {figures['simulated']:,} "
            f"of {figures['rows']:,} rows",
            style="bold yellow",
        )
    console.print(_subjects(figures), _coverage(figures["coverage"]))
    console.print(MEANING, style="dim", soft_wrap=True)
    if figures["contamination"]:
        console.print(contamination.table(figures["contamination"]))
    lines = (
        contamination.describe(figures["contamination"]) if figures["contamination"] else [contamination.NOT_CHECKED]
    )
    console.print(*map(as_text, lines), sep="\n", soft_wrap=True)
    for title, key in SHOWN:
        if figures[key]:
            console.print(counts_table(title, figures[key]))
    console.print(f"Difficulty bins: {describe_bins(figures['difficulty_bins'])}", style="dim", highlight=False)
    console.print(_figures(figures))


def _subjects(figures: Mapping[str, Any]) -> Table:
    table = _table("Rows", "subject", *ENDS, "yield")
    totals = Counter[str]()
    for subject, admissions in figures["by_subject"].items():
        counts = Counter({**admissions, "rejected": figures["rejected_by_subject"].get(subject, 0)})
        totals += counts
        table.add_row(as_text(subject), *_ended(counts))
    table.add_section()
    table.add_row("all", *_ended(totals))
    return table


def _ended(counts: Mapping[str, int]) -> list[str]:
    rejected, ended = counts["rejected"], sum(counts.values())
    return [*(f"{counts[name]:,}" for name in ENDS), f"{1 - rejected / ended:.0%}"]


def _coverage(coverage: Mapping[str, Any]) -> Table:
    table = _table("Coverage", "subject", "topics", "rows a topic", "different", "in a topic", "largest")
    for subject, one in coverage.items():
        counts = (f"{one['topics']:,}", f"{one['rows'] / one['topics']:.1f}", f"{one['clusters']:,}")
        alike = f"{one['largest_cluster']:,}"
        table.add_row(as_text(subject), *counts, f"{one['clusters_of_a_topic']:.1f}", alike)
    table.add_section()
    table.add_row("paper", f"{PAPER['topics']:,}", f"{PAPER['rows'] / PAPER['topics']:.1f}", "", "", "")
    return table


def _figures(figures: Mapping[str, Any]) -> Table:
    table = _table("Figures", "", "here", "paper")
    share = figures["yield"]
    table.add_row("yield: curated of all ended problems", "unknown" if share is None else f"{share:.0%}", "")
    for part, paper in PAPER_WORDS.items():
        mean = figures["mean_words"][part]
        table.add_row(f"mean words of a {part}", "unknown" if mean is None else f"{mean:,.0f}", f"{paper:,}")
    table.add_row("tokens generated", _amount(figures["tokens"], "{:,.0f}"), "")
    table.add_row("cost", _amount(figures["cost"], "${:,.2f}"), "")
    each = figures["cost_per_row"]
    table.add_row("cost of a row that is in", "unknown" if each is None else f"${each:,.4f}", "")
    table.add_row("earlier attempts kept", f"{figures['further_attempts']:,}", "")
    table.add_row("rows deleted", f"{figures['deleted']:,}", "")
    return table


def _amount(spent: Mapping[str, Any], form: str) -> str:
    if not spent["unknown_items"]:
        return form.format(spent["known"])
    return f"unknown for {spent['unknown_items']:,} items, else {form.format(spent['known'])}"


def counts_table(title: str, counts: Mapping[str, int]) -> Table:
    """Return a table of names and numbers of items."""
    table = _table(title, "", "number of items")
    for name, number in counts.items():
        table.add_row(as_text(name), f"{number:,}")
    return table


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


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
    rejected = dataset.ledger.columns(column, where="kind = 'rejected'")
    return _sum(one[column] for part in (dataset.rows.columns(column), rejected) for one in part)


def _sum(parts: Iterable[float | None]) -> dict[str, float]:
    known, unknown = 0.0, 0
    for part in parts:
        known, unknown = known + (part or 0), unknown + (part is None)
    return {"known": known, "unknown_items": unknown}
