"""`chimera dataset stats`: figures of the dataset."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.outcomes import Admission
from services.cli.common.sanitize_terminal import as_text
from services.cli.dataset import contamination
from shared.dataset.reports.coverage import MEANING, PAPER
from shared.dataset.reports.statistics import PAPER_WORDS, describe_bins

SHOWN = (
    ("Tier", "by_tier"),
    ("Correct", "correct"),
    ("Difficulty", "by_difficulty"),
    ("Answer type", "by_answer_type"),
    ("Split", "by_split"),
    ("Rejected", "rejected"),
)
"""Label of a line of counts, and its key in the document."""

ENDS = (*Admission, "rejected")


def render(figures: Mapping[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    if figures["simulated"]:
        console.print(
            f"SIMULATED: a simulator answered in place of the models for {figures['simulated']:,} "
            f"of {figures['rows']:,} rows",
            style="bold yellow",
        )
    console.print(_subjects(figures), "", _coverage(figures["coverage"]))
    console.print(MEANING, style="dim", soft_wrap=True)
    console.print()
    if figures["contamination"]:
        console.print(contamination.table(figures["contamination"]))
    lines = (
        contamination.describe(figures["contamination"]) if figures["contamination"] else [contamination.NOT_CHECKED]
    )
    console.print(*map(as_text, lines), sep="\n", soft_wrap=True)
    console.print("", _counts(figures), highlight=False)
    console.print(f"Difficulty bins: {describe_bins(figures['difficulty_bins'])}", style="dim", highlight=False)
    console.print("", _figures(figures))


def _subjects(figures: Mapping[str, Any]) -> Table:
    table = _table("Rows", "subject", *ENDS, "yield")
    totals = Counter[str]()
    for subject, admissions in figures["by_subject"].items():
        counts = Counter({**admissions, "rejected": figures["rejected_by_subject"].get(subject, 0)})
        totals += counts
        table.add_row(as_text(subject), *_ended(counts))
    table.add_row("all", *_ended(totals))
    return table


def _ended(counts: Mapping[str, int]) -> list[str]:
    rejected, ended = counts["rejected"], sum(counts.values())
    return [*(f"{counts[name]:,}" for name in ENDS), f"{1 - rejected / ended:.0%}" if ended else "–"]


def _coverage(coverage: Mapping[str, Any]) -> Table:
    table = _table("Coverage", "subject", "topics", "rows a topic", "different", "in a topic", "largest")
    for subject, one in coverage.items():
        counts = (f"{one['topics']:,}", f"{one['rows'] / one['topics']:.1f}", f"{one['clusters']:,}")
        alike = f"{one['largest_cluster']:,}"
        table.add_row(as_text(subject), *counts, f"{one['clusters_of_a_topic']:.1f}", alike)
    table.add_row("paper", f"{PAPER['topics']:,}", f"{PAPER['rows'] / PAPER['topics']:.1f}", "", "", "")
    return table


def _counts(figures: Mapping[str, Any]) -> Table:
    """Numbers of items by each property, a line each."""
    lines = Table.grid(padding=(0, 2))
    for label, key in SHOWN:
        if counts := figures[key]:
            lines.add_row(label, as_text(" · ".join(f"{name} {number:,}" for name, number in counts.items())))
    return lines


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
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
