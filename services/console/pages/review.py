"""Which items are worth a person's look, the most doubtful first, and what people have decided."""

from typing import Any

from services.console.dataset_cache import DatasetCache, Snapshot
from shared.dataset import ReviewLine, open_resolutions, open_reviews
from shared.dataset.reports.review_queue import LOOKED_AT, DoubtfulItem, review_queue

SHOWN = 50
DECIDED = 20
"""Decisions that are shown: the latest."""


def show(cache: DatasetCache, release: str = "now") -> dict[str, Any]:
    """The most doubtful items first."""
    snapshot = cache.snapshot(release)
    reviews = open_reviews(cache.folder)
    version = reviews.version if reviews else None
    found, decided = cache.cached((snapshot.key, version, "review"), lambda: _queue(cache, snapshot))
    shown = {"items": found[:SHOWN], "weighed": len(found), "looked_at": LOOKED_AT, "decided": decided}
    return {"snapshot": snapshot, **shown}


def _queue(cache: DatasetCache, snapshot: Snapshot) -> tuple[list[DoubtfulItem], list[ReviewLine]]:
    reviews = sorted(open_reviews(cache.folder) or (), key=lambda one: one.reviewed_at, reverse=True)
    resolutions = open_resolutions(cache.folder)
    disputed = resolutions.columns("item_id", where="disputed is not null") if resolutions else ()
    queue = review_queue(snapshot.dataset, {one.item_id for one in reviews}, {line["item_id"] for line in disputed})
    return queue, reviews[:DECIDED]
