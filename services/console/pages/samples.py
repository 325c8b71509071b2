"""Rows by their columns and by text, the latest first."""

from collections import Counter
from typing import Any

from deltalake.schema import PrimitiveType

from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.filters import PAGE, Cursor, SampleFilter
from shared.dataset.reports.statistics import UNKNOWN
from shared.errors import Refusal

COLUMNS = ("id", "subject", "topic", "problem", "answer", "answer_type", "tier", "correct", "difficulty", "admission")
CHOICES = ("subject", "tier", "answer_type", "admission")


def show(cache: DatasetCache, query: SampleFilter, size: int = PAGE) -> dict[str, Any]:
    """One page of a list, its length, and what it may be narrowed to."""
    snapshot = cache.snapshot(query.release)
    rows = snapshot.dataset.rows
    if query.by_belief and not has_belief(snapshot):
        raise Refusal("rows of this version have no belief", "Leave the belief out of the filter")
    more = ("belief",) if has_belief(snapshot) else ()
    bins = cache.difficulty.bins
    where = " and ".join(filter(None, (query.where, query.of_difficulty(bins))))
    lines = list(
        rows.newest(
            *COLUMNS, "curated_at", *more, at="curated_at", limit=size + 1, where=query.page("curated_at", where)
        )
    )
    return {
        "query": query,
        "snapshot": snapshot,
        "rows": lines[:size],
        "next": str(Cursor.of(lines[size - 1], "curated_at")) if len(lines) > size else None,
        "found": matching(cache, snapshot, where),
        "difficulties": (*bins, UNKNOWN),
        "choices": choices(cache, snapshot),
        "has_belief": bool(more),
        "releases": cache.releases(),
    }


def has_belief(snapshot: Snapshot) -> bool:
    """Whether rows of this version have the probability that their key is right."""
    fields = snapshot.dataset.rows.delta.schema().fields
    return any(field.name == "belief" and field.type == PrimitiveType("double") for field in fields)


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
