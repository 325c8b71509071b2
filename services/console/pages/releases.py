"""Releases: which there are, what is in one, its card, and what changed from one version to another."""

from typing import Any

from services.console.dataset_cache import DatasetCache
from services.console.filters import DifferenceFilter
from services.console.pages import factory
from shared.dataset.reports import plots
from shared.dataset.reports.versions import difference
from shared.errors import Refusal

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
        "plots": cache.cached((snapshot.key, "plots"), lambda: plots.names(snapshot.dataset)),
        "before": earlier[-1] if earlier else None,
    }


def plot(cache: DatasetCache, name: str, which: str, form: str) -> bytes:
    """One plot as a file. Raises Refusal when there is no such plot, or no data for it."""
    snapshot = cache.snapshot(name)

    def made() -> bytes:
        figure = plots.draw(snapshot.dataset, which) if which in plots.PLOTS and form in plots.FORMATS else None
        if figure is None:
            raise Refusal(f"release {name} has no plot {which}.{form}", "Its page links to those that it has")
        return plots.render(figure, form)

    return cache.cached((snapshot.key, which, form), made)


def changes(cache: DatasetCache, query: DifferenceFilter) -> dict[str, Any]:
    """What came, went and changed between two versions."""
    before, after = cache.snapshot(query.before), cache.snapshot(query.after)
    changes = cache.cached((before.key, after.key), lambda: difference(before.dataset, after.dataset))
    return {"snapshot": after, "before": before, "after": after, "changes": changes, "listed": LISTED}
