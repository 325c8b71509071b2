"""Releases: which there are, what is in one, its card, and what changed from one version to another."""

from typing import Any

from services.console.dataset_cache import DatasetCache
from services.console.filters import DifferenceFilter
from services.console.pages import factory
from shared.dataset.reports.versions import difference

"""Most ids that are shown of what came, went or changed."""

LISTED = 200
"""Most ids that are shown of what came, went or changed."""


def show(cache: DatasetCache) -> dict[str, Any]:
    """Every release, the latest first."""
    return {"snapshot": cache.newest(), "releases": cache.releases()[::-1]}


def release(cache: DatasetCache, name: str) -> dict[str, Any]:
    """The figures of one release. Raises Refusal when there is none of that number."""
    snapshot = cache.snapshot(name)
    number = snapshot.manifest["number"] if snapshot.manifest else 0
    earlier = [one["number"] for one in cache.releases() if one["number"] < number]
    return {
        "snapshot": snapshot,
        "manifest": snapshot.manifest,
        "figures": factory.of(cache, snapshot),
        "before": earlier[-1] if earlier else None,
    }


def changes(cache: DatasetCache, query: DifferenceFilter) -> dict[str, Any]:
    """What came, went and changed between two versions."""
    before, after = cache.snapshot(query.before), cache.snapshot(query.after)
    changes = cache.cached((before.key, after.key), lambda: difference(before.dataset, after.dataset))
    return {"snapshot": after, "before": before, "after": after, "changes": changes, "listed": LISTED}
