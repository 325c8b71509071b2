"""One release as a static site: for any web server, a page of a hub, or a folder opened from disk.

Every page is made by the code that serves it; what needs a server (search, dead letters, the live funnel) is left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from math import ceil
from pathlib import Path
from shutil import copyfile
from typing import Any

from jinja2 import Environment
from pydantic import BaseModel

from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.filters import PAGE, Cursor, RejectFilter, SampleFilter
from services.console.pages import card, prompts, rejects, releases, review, sample, samples
from services.console.views import HERE, environment, page
from shared.dataset import ItemRecords
from shared.dataset.reports import plots

Show = Callable[..., dict[str, Any]]

FACETS: dict[str, tuple[Show, type[BaseModel], tuple[str, ...]]] = {
    "samples": (samples.show, SampleFilter, ("subject", "tier", "answer_type", "admission")),
    "rejects": (rejects.show, RejectFilter, ("reason", "service", "subject")),
}
"""Lists, and the columns by which each is narrowed: one list a value."""


class BundleLinks:
    """Addresses relative to a page of the site."""

    live = False

    def __init__(self, depth: int, *, has_card: bool) -> None:
        self._up = "../" * depth
        self._has_card = has_card

    def __call__(self, page: str, **params: object) -> str | None:
        """See services.console.views.Links."""
        path = _path(page, params)
        return None if path is None or (page == "card" and not self._has_card) else self._up + path


def _path(page: str, params: Mapping[str, object]) -> str | None:
    match page:
        case "releases" | "release":
            return "index.html"
        case "samples" | "rejects":
            facet, value, number = (params.get(name) for name in ("facet", "value", "number"))
            return f"{page}/{f'{facet}-{_slug(str(value))}-' if facet else ''}{number or 1}.html"
        case "sample":
            return f"items/{params['id']}.html"
        case "prompt":
            return f"prompts/{params['prompt_hash']}.html"
        case "plot":
            return f"plots/{params['name']}.{params['form']}"
        case "review" | "card":
            return f"{page}.html"
        case "style":
            return "console.css"
        case _:
            return None


def _slug(value: str) -> str:
    """A value as part of a file's name; different for different values."""
    return f"{re.sub('[^a-z0-9]+', '-', value.lower())[:40]}-{sha256(value.encode()).hexdigest()[:6]}"


class Bundle:
    """Writes the site of one snapshot."""

    def __init__(self, cache: DatasetCache, snapshot: Snapshot, out: Path) -> None:
        self._cache = cache
        self._snapshot = snapshot
        self._out = out
        self._templates: Environment = environment()
        self._has_card = len(snapshot.dataset.rows) <= card.MAX_ROWS

    def write(self) -> Iterator[str]:
        """Write everything, and yield the name of each page once it is there."""
        cache, name = self._cache, self._snapshot.name
        copyfile(HERE / "static" / "console.css", self._out / "console.css")
        plots.write(self._snapshot.dataset, self._out / "plots")
        yield self._page("index.html", "release", releases.release(cache, name))
        yield self._page("review.html", "review", review.show(cache, name))
        if self._has_card:
            yield self._page("card.html", "card", card.show(cache, name))
        for page_name in FACETS:
            yield from self._lists(page_name)
        for found in self._items():
            shown = sample.of(cache, self._snapshot, found)
            yield self._page(f"items/{shown['id']}.html", "sample", shown)
        for prompt_hash in prompts.shipped():
            yield self._page(f"prompts/{prompt_hash}.html", "prompt", prompts.show(prompt_hash))

    def _lists(self, page_name: str) -> Iterator[str]:
        show, kind, columns = FACETS[page_name]
        choices = show(self._cache, kind(release=self._snapshot.name))["choices"]
        for facet, value in [("", ""), *((column, one) for column in columns for one in choices[column])]:
            after: Cursor | None = None
            number = 0
            while number == 0 or after:
                number += 1
                narrowed = {facet: value} if facet else {}
                shown = show(self._cache, kind(release=self._snapshot.name, after=after, **narrowed))
                after = Cursor.parse(shown["next"])
                shown |= {"facet": facet, "value": value, "pages": ceil(shown["found"] / PAGE), "number_here": number}
                path = _path(page_name, {"facet": facet, "value": value, "number": number})
                yield self._page(str(path), page_name, shown)

    def _items(self) -> Iterator[ItemRecords]:
        """Every row, and every rejected problem."""
        for row in self._snapshot.dataset.rows:
            yield ItemRecords(row, ())
        for entry in self._snapshot.dataset.ledger.select("kind = 'rejected'"):
            yield ItemRecords(None, (entry,))

    def _page(self, path: str, name: str, context: Mapping[str, Any]) -> str:
        file = self._out / path
        file.parent.mkdir(exist_ok=True)
        links = BundleLinks(path.count("/"), has_card=self._has_card)
        file.write_text(page(self._templates, name, links, context), encoding="utf-8")
        return path
