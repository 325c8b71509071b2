"""Templates, links and formats.

Every text loses its control characters and is escaped; HTML of models' texts comes from `services.console.text` alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.console.text import formula, rendered
from shared.text.controls import strip_controls

HERE = Path(__file__).parent
EXCERPT = 3000
"""Most characters of a text in a list."""


class Links(Protocol):
    """Where a page is, from the page that links to it; `None` when this site has no such page."""

    live: bool
    """Whether a server answers: then lists can be searched."""

    def __call__(self, page: str, **params: object) -> str | None:
        """The address of a page by its name and what it is about."""


class LiveLinks:
    """Addresses on the server."""

    live = True

    def __call__(self, page: str, **params: object) -> str | None:
        """See Links."""
        given = {name: str(value) for name, value in params.items() if value not in (None, "")}
        path = _PATHS[page].format_map({name: quote(value, safe="") for name, value in given.items()})
        rest = {name: value for name, value in given.items() if f"{{{name}}}" not in _PATHS[page]}
        return f"{path}?{urlencode(rest)}" if rest else path


_PATHS = {
    "factory": "/",
    "samples": "/samples",
    "sample": "/samples/{id}",
    "sample_json": "/samples/{id}.json",
    "rejects": "/rejects",
    "dead_letters": "/dead-letters",
    "dead_letter": "/dead-letters/{id}",
    "review": "/review",
    "releases": "/releases",
    "release": "/releases/{release}",
    "card": "/releases/{release}/card",
    "plot": "/releases/{release}/plots/{name}.{form}",
    "difference": "/difference",
    "prompt": "/prompts/{prompt_hash}",
    "style": "/static/console.css",
}


def environment() -> Environment:
    """The templates with their formats."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats: dict[str, Callable[[Any], Any]] = {
        "number": lambda value: "unknown" if value is None else f"{value:,}",
        "percent": percent,
        "dollars": lambda value: "unknown" if value is None else f"${value:,.4f}",
        "when": lambda value: value.strftime("%Y-%m-%d %H:%M") + " UTC" if isinstance(value, datetime) else str(value),
        "duration": duration,
        "words": lambda value: str(value).replace("_", " "),
        "total": lambda counts: sum(counts.values()),
        "excerpt": lambda text: text if len(text) <= EXCERPT else text[:EXCERPT] + " …",
        "rendered": rendered,
        "formula": formula,
    }
    made.filters |= formats
    return made


def _harmless(value: Any) -> Any:
    return strip_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def percent(share: float | None) -> str:
    """71.4 %, 0 %, 100 %; unknown."""
    if share is None:
        return "unknown"
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{100 * share:.1f} %"


def duration(seconds: float | None) -> str:
    """22 s, 4 min 10 s, 3 h 5 min, 2 d 3 h."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def page(templates: Environment, name: str, links: Links, context: Mapping[str, Any]) -> str:
    """A page as HTML."""
    return templates.get_template(f"{name}.html").render(context, link=links, page=name)
