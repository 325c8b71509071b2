"""Rows by their columns, by belief and by text, the latest first."""

from bisect import bisect_right
from collections import Counter
from typing import Any

from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.filters import PAGE, Cursor, InvalidQuery, SampleFilter
from shared.dataset.query import id_in
from shared.dataset.reports.statistics import UNKNOWN

LISTED = ("id", "row_hash", "curated_at")
COLUMNS = ("subject", "topic", "problem", "answer", "answer_type", "tier", "correct", "difficulty", "admission")
CHOICES = ("subject", "tier", "answer_type", "admission")
BELIEF_ROWS = 20_000
"""Most rows of which beliefs are computed while a reader waits."""


def show(cache: DatasetCache, query: SampleFilter, size: int = PAGE) -> dict[str, Any]:
    """One page of a list, its length, and what it may be narrowed to."""
    snapshot = cache.snapshot(query.release)
    rows = snapshot.dataset.rows
    bins = cache.difficulty.bins
    where = " and ".join(filter(None, (query.where, query.of_difficulty(bins))))
    found, here = matching(cache, snapshot, where), query.page("curated_at", where)
    if query.by_belief:
        found, ids = _by_belief(cache, snapshot, query, where, found, size)
        here = id_in(ids)
    lines = list(rows.newest(*LISTED, *COLUMNS, at="curated_at", limit=size + 1, where=here))
    beliefs = cache.beliefs.of(rows, lines)
    return {
        "query": query,
        "snapshot": snapshot,
        "rows": [{**line, "belief": belief} for line, belief in zip(lines[:size], beliefs, strict=False)],
        "next": str(Cursor.of(lines[size - 1], "curated_at")) if len(lines) > size else None,
        "found": found,
        "difficulties": (*bins, UNKNOWN),
        "choices": choices(cache, snapshot),
        "releases": cache.releases(),
    }


def _by_belief(
    cache: DatasetCache, snapshot: Snapshot, query: SampleFilter, where: str, most: int, size: int
) -> tuple[int, list[str]]:
    """Number of the rows whose belief is in the requested limits, and the ids of one page and of the row after it."""
    if most > BELIEF_ROWS:
        raise InvalidQuery(
            f"belief: {most:,} rows match without it, and it is computed of up to {BELIEF_ROWS:,}",
            "Narrow the list by subject, topic, tier or another column too",
        )
    rows = snapshot.dataset.rows
    lines = list(rows.columns(*LISTED, where=where))
    believed = sorted(
        (-line["curated_at"].timestamp(), line["id"])
        for line, belief in zip(lines, cache.beliefs.of(rows, lines), strict=True)
        if query.believes(belief)
    )
    start = bisect_right(believed, (-query.after.at.timestamp(), query.after.id)) if query.after else 0
    return len(believed), [id_ for _, id_ in believed[start : start + size + 1]]


def matching(cache: DatasetCache, snapshot: Snapshot, where: str) -> int:
    """How many rows a condition holds for."""
    count = snapshot.dataset.rows.counts
    return cache.cached((snapshot.key, "rows", where), lambda: count("schema_version", where=where).total())


def choices(cache: DatasetCache, snapshot: Snapshot) -> dict[str, Counter[str]]:
    """The values of each column that lists are narrowed by, with their rows."""
    rows = snapshot.dataset.rows

    def counted() -> dict[str, Counter[str]]:
        return {name: Counter({value: n for (value,), n in rows.counts(name).items()}) for name in CHOICES}

    return cache.cached((snapshot.key, "choices"), counted)
