"""Plots of a dataset for a paper: coverage, funnel, difficulty, lengths, belief.

Vector graphics by matplotlib. A plot without data is not drawn.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.dataset.reader import Dataset
from shared.stats.item_belief import row_belief
from shared.text.controls import strip_controls

FORMATS = ("svg", "pdf")
BLUE, GREY = "#1f77b4", "#9a9a9a"
"""Distinct also for colour-blind readers and in grey."""
MAX_ROWS = 20_000
"""Most rows of which texts and votes are read; lengths are those of the first, beliefs are not drawn beyond."""
NAME_LETTERS = 40
"""Longer names of subjects and reasons are cut."""


def draw(dataset: Dataset, name: str) -> Figure | None:
    """Return one of PLOTS; `None` when the dataset has no data for it."""
    return PLOTS[name](dataset)


def render(figure: Figure, form: str) -> bytes:
    """Return a figure as a file of one of FORMATS. The same data give the same bytes."""
    buffer = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "chimera", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=form, metadata={"Date": None} if form == "svg" else {"CreationDate": None})
    return buffer.getvalue()


def write(dataset: Dataset, folder: Path) -> list[Path]:
    """Write every plot in every format into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in PLOTS:
        if figure := draw(dataset, name):
            for form in FORMATS:
                files.append(folder / f"{name}.{form}")
                files[-1].write_bytes(render(figure, form))
    return files


def _coverage(dataset: Dataset) -> Figure | None:
    """Rows of each topic, the topics of a subject side by side, those with most rows first."""
    topics: dict[str, list[int]] = {}
    for (subject, _), rows in dataset.rows.counts("subject", "topic").items():
        topics.setdefault(subject, []).append(rows)
    if not topics:
        return None
    figure, axes = _axes(height=0.8 + 0.35 * len(topics))
    names = sorted(topics, reverse=True)
    for at, name in enumerate(names):
        left = 0
        for number, rows in enumerate(sorted(topics[name], reverse=True)):
            axes.barh(at, rows, left=left, color=BLUE, alpha=0.9 if number % 2 else 0.6, edgecolor="none")
            left += rows
    axes.set_yticks(range(len(names)), [f"{_short(name)} ({len(topics[name])})" for name in names])
    axes.set(xlabel="rows, by topic", ylabel="subject (topics)")
    return figure


def _funnel(dataset: Dataset) -> Figure | None:
    """How the problems ended: rows, and rejections by service and reason."""
    rows = len(dataset.rows)
    reasons: Counter[str] = Counter()
    for (kind, service, reason), number in dataset.ledger.counts("kind", "service", "reason").items():
        reasons[f"{service}: {reason}"] += number if kind == "rejected" else 0
    bars = [("rows", rows), *((name, number) for name, number in reasons.most_common() if number)]
    if not rows and len(bars) == 1:
        return None
    figure, axes = _axes(height=0.8 + 0.28 * len(bars))
    drawn = axes.barh([_short(name) for name, _ in bars[::-1]], [number for _, number in bars[::-1]], color=GREY)
    axes.patches[-1].set_color(BLUE)
    axes.bar_label(drawn, fmt="{:,.0f}", padding=2)
    axes.set(xlabel="problems")
    return figure


def _difficulty(dataset: Dataset) -> Figure | None:
    values = [row["difficulty"] for row in dataset.rows.columns("difficulty", where="difficulty is not null")]
    return _histogram(values, "share of the probe's attempts that missed the key", (0, 1)) if values else None


def _lengths(dataset: Dataset) -> Figure | None:
    rows = islice(dataset.rows.columns("reasoning", "solution"), MAX_ROWS)
    values = [len(row["reasoning"].split()) + len(row["solution"].split()) for row in rows]
    return _histogram(values, "words of thinking and solution") if values else None


def _belief(dataset: Dataset) -> Figure | None:
    if len(dataset.rows) > MAX_ROWS:
        return None
    rows = dataset.rows.columns("problem", "answer", "answer_type", "rationale", "verdicts", "lineage")
    values = [belief for row in rows if (belief := row_belief(row)) is not None]
    return _histogram(values, "probability that the key is right", (0, 1)) if values else None


def _histogram(values: Sequence[float], label: str, limits: tuple[float, float] | None = None) -> Figure:
    figure, axes = _axes()
    axes.hist(values, bins=30, range=limits, color=BLUE)
    axes.set(xlabel=label, ylabel="rows")
    return figure


def _axes(height: float = 2.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _short(name: str) -> str:
    """Cut a name, and take out `$`, which would begin a formula."""
    clean = strip_controls(name).replace("$", "")
    return clean if len(clean) <= NAME_LETTERS else clean[:NAME_LETTERS] + "…"


PLOTS: dict[str, Callable[[Dataset], Figure | None]] = {
    "coverage": _coverage,
    "funnel": _funnel,
    "difficulty": _difficulty,
    "lengths": _lengths,
    "belief": _belief,
}
