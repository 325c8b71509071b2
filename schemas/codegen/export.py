"""Write what is generated from the schemas: JSON Schemas, the AsyncAPI document, and the flow picture in the pages.

python -m schemas.export            write
python -m schemas.export --check    fail when something committed is out of date, or an event changed incompatibly
python -m schemas.export --release  these events are in use from now on: later versions are compared with them
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.codegen import asyncapi
from schemas.codegen.compatibility import breaking
from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from schemas.flow import FLOW, SERVICES

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "schemas" / "generated"
RELEASED = ROOT / "schemas" / "released"
PAGES = (ROOT / "README.md", ROOT / "docs" / "architecture.md")
"""Pages that show the flow picture."""
FEW = 3
"""Producers up to which each gets an arrow of its own."""

BEGIN, END = "<!-- flow: made by python -m schemas.export -->\n", "<!-- end of flow -->"


def main() -> None:
    """Write or check; exits 1 naming what is wrong and what to do."""
    options = sys.argv[1:]
    if "--check" in options or "--release" in options:
        current = events()
        if found := breaking(released(), current):
            sys.exit("incompatible with what was released; give the event a new `major`:\n  " + "\n  ".join(found))
        if "--release" in options:
            _write(RELEASED, {RELEASED / f"{name}.json": _json(schema) for name, schema in current.items()})
    if "--check" not in options:
        _write(GENERATED, documents())
    elif stale := _stale(GENERATED, documents()):
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"out of date: {names}. Run: python -m schemas.export")


def events() -> dict[str, Any]:
    """JSON Schema of every event, by `type.vMAJOR`."""
    return {f"{flow.name}.v{flow.event.major}": flow.event.model_json_schema() for flow in FLOW}


def released() -> dict[str, Any]:
    """JSON Schemas of the last release."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RELEASED.glob("*.json"))}


def documents() -> dict[Path, str]:
    """Every generated document by its path."""
    schemas = {**events(), "plan": Plan.model_json_schema(), "models": ModelsConfig.model_json_schema()}
    schemas["asyncapi"] = asyncapi.document()
    return {
        **{GENERATED / f"{name}.json": _json(schema) for name, schema in schemas.items()},
        **{page: _with_picture(page.read_text()) for page in PAGES},
    }


def _with_picture(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{picture()}{END}{after}"


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _stale(folder: Path, wanted: Mapping[Path, str]) -> list[Path]:
    """What is missing, differs, or should not be there."""
    differ = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    return differ + [path for path in folder.glob("*.json") if path not in wanted]


def _write(folder: Path, wanted: Mapping[Path, str]) -> None:
    folder.mkdir(exist_ok=True)
    for path in _stale(folder, wanted):
        if path in wanted:
            path.write_text(wanted[path])
        else:
            path.unlink()


def picture() -> str:
    """Draw the flow as a Mermaid chart: services, and the events that travel between them."""
    names = [service.name for service in SERVICES]
    lines = [f"  {name}(({name}))" if name in ("planner", "aggregator") else f"  {name}({name})" for name in names]
    lines += ["  cli(chimera)", "  trainer[[trainer]]", "  several(several services)"]
    edges: dict[tuple[str, str], list[str]] = {}
    for flow in FLOW:
        producers = flow.producers if len(flow.producers) <= FEW else ("several",)
        for producer in producers:
            for consumer in flow.consumers:
                edges.setdefault((producer, consumer), []).append(flow.name)
    lines += [
        f"  {producer} -- {'<br/>'.join(events)} --> {consumer}" for (producer, consumer), events in edges.items()
    ]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"
