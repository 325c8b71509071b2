"""The card of a release, as an export of all its rows has it."""

from dataclasses import fields
from typing import Any

from services.console.dataset_cache import DatasetCache
from services.console.pages.factory import audit_figures, wrong_keys
from shared.dataset.reports.card import CardSource, card
from shared.dataset.reports.contamination import Contamination
from shared.dataset.reports.export_stats import ExportStats
from shared.dataset.schema import Row
from shared.errors import Refusal

MAX_ROWS = 20_000
"""Most rows of which a card is made while a reader waits: it compares every problem with the others."""
BATCH_ROWS = 32
"""Rows in memory at a time: one may have a megabyte."""


def show(cache: DatasetCache, name: str) -> dict[str, Any]:
    """The card as Markdown. Raises Refusal for a release that is too large."""
    snapshot = cache.snapshot(name)
    rows = len(snapshot.dataset.rows)
    if rows > MAX_ROWS:
        raise Refusal(
            f"release {name} has {rows:,} rows: a card of them takes too long for a page",
            "`chimera dataset export` writes it",
        )

    def made() -> str:
        plan = cache.plan
        stats = ExportStats(Contamination(plan.benchmarks if plan else {}), cache.difficulty)
        for batch in snapshot.dataset.rows.batches(BATCH_ROWS):
            for row in batch:
                stats.add(row, 1)
        columns = [*(field.name for field in fields(Row)), "belief"]
        about = {"form": "parquet", "view": "all", "suffix": "parquet"}
        source = CardSource(plan, audit_figures(cache), wrong_keys(cache, snapshot))
        text = card(source, stats, snapshot.dataset, snapshot.manifest, columns=columns, **about)
        return text.split("\n---\n", 1)[1]

    return {"snapshot": snapshot, "card": cache.cached((snapshot.key, "card"), made)}
