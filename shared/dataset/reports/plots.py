"""Plots of a dataset for a paper: coverage, funnel, difficulty, lengths, belief.

Vector graphics by matplotlib. A plot without data is not drawn.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

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


def names(dataset: Dataset) -> list[str]:
    """Return the names of the plots that the dataset has data for."""
    return [name for name, plot in PLOTS.items() if next(iter(plot.values(dataset)), None) is not None]


def draw(dataset: Dataset, name: str) -> Figure | None:
    """Return one of PLOTS; `None` when the dataset has no data for it."""
    plot = PLOTS[name]
    values = [*plot.values(dataset)]
    return plot.figure(values) if values else None


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


def _topics(dataset: Dataset) -> Iterator[tuple[str, list[int]]]:
    """Each subject with the rows of its topics, those with most rows first."""
    topics: dict[str, list[int]] = {}
    for (subject, _), rows in dataset.rows.counts("subject", "topic").items():
        topics.setdefault(subject, []).append(rows)
    for subject in sorted(topics, reverse=True):
        yield subject, sorted(topics[subject], reverse=True)


def _coverage(topics: Sequence[tuple[str, list[int]]]) -> Figure:
    """The topics of a subject side by side."""
    figure, axes = _axes(height=0.8 + 0.35 * len(topics))
    for at, (_, counts) in enumerate(topics):
        left = 0
        for number, rows in enumerate(counts):
            axes.barh(at, rows, left=left, color=BLUE, alpha=0.9 if number % 2 else 0.6, edgecolor="none")
            left += rows
    axes.set_yticks(range(len(topics)), [f"{_short(name)} ({len(counts)})" for name, counts in topics])
    axes.set(xlabel="rows, by topic", ylabel="subject (topics)")
    return figure


def _ends(dataset: Dataset) -> Iterator[tuple[str, int]]:
    """How the problems ended: rows, and rejections by service and reason."""
    rows = len(dataset.rows)
    reasons: Counter[str] = Counter()
    for (kind, service, reason), number in dataset.ledger.counts("kind", "service", "reason").items():
        reasons[f"{service}: {reason}"] += number if kind == "rejected" else 0
    rejections = [(name, number) for name, number in reasons.most_common() if number]
    if rows or rejections:
        yield "rows", rows
        yield from rejections


def _funnel(ends: Sequence[tuple[str, int]]) -> Figure:
    figure, axes = _axes(height=0.8 + 0.28 * len(ends))
    drawn = axes.barh([_short(name) for name, _ in ends[::-1]], [number for _, number in ends[::-1]], color=GREY)
    axes.patches[-1].set_color(BLUE)
    axes.bar_label(drawn, fmt="{:,.0f}", padding=2)
    axes.set(xlabel="problems")
    return figure


def _difficulties(dataset: Dataset) -> Iterator[float]:
    return (row["difficulty"] for row in dataset.rows.columns("difficulty", where="difficulty is not null"))


def _lengths(dataset: Dataset) -> Iterator[int]:
    rows = islice(dataset.rows.columns("reasoning", "solution"), MAX_ROWS)
    return (len(row["reasoning"].split()) + len(row["solution"].split()) for row in rows)


def _beliefs(dataset: Dataset) -> Iterator[float]:
    if len(dataset.rows) <= MAX_ROWS:
        rows = dataset.rows.columns("problem", "answer", "answer_type", "rationale", "verdicts", "lineage")
        yield from (belief for row in rows if (belief := row_belief(row)) is not None)


def _histogram(label: str, limits: tuple[float, float] | None = None) -> Callable[[Sequence[float]], Figure]:
    def drawn(values: Sequence[float]) -> Figure:
        figure, axes = _axes()
        axes.hist(values, bins=30, range=limits, color=BLUE)
        axes.set(xlabel=label, ylabel="rows")
        return figure

    return drawn


def _axes(height: float = 2.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _short(name: str) -> str:
    """Cut a name, and take out `$`, which would begin a formula."""
    clean = strip_controls(name).replace("$", "")
    return clean if len(clean) <= NAME_LETTERS else clean[:NAME_LETTERS] + "…"


@dataclass(frozen=True, slots=True)
class Plot:
    """One kind of plot."""

    values: Callable[[Dataset], Iterable[Any]]
    """What it shows of a dataset; nothing when there are no data for it."""
    figure: Callable[[Sequence[Any]], Figure]
    """Draws these values."""


PLOTS = {
    "coverage": Plot(_topics, _coverage),
    "funnel": Plot(_ends, _funnel),
    "difficulty": Plot(_difficulties, _histogram("share of the probe's attempts that missed the key", (0, 1))),
    "lengths": Plot(_lengths, _histogram("words of thinking and solution")),
    "belief": Plot(_beliefs, _histogram("probability that the key is right", (0, 1))),
}
