"""Write the files generated from the schemas and the flow.

JSON Schemas, the AsyncAPI document, the diagram in the pages, and the entries of services in Compose, Prometheus,
Alertmanager, the chart and `.env.example`.

python -m schemas.export            write
python -m schemas.export --check    fail when a file is out of date, or an event has an incompatible change
python -m schemas.export --release  mark the events as in use: later versions must be compatible with them
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.codegen import asyncapi, deployment
from schemas.codegen.compatibility import breaking
from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from schemas.flow import FLOW, SERVICES

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "schemas" / "generated"
RELEASED = ROOT / "schemas" / "released"
MAX_ARROWS = 3
"""An event with more producers gets one arrow, from `several services`."""
OFF_PATH = ("cli", "auditor")
"""Producers and consumers that the short diagram leaves out."""
STORED_RUNS = ("problem.reverified", "problem.resolved", "problem.reprobed", "audit.judged")
"""Events about stored rows and audits, which the short diagram leaves out."""

BEGIN, END = "<!-- flow: made by python -m schemas.export -->\n", "<!-- end of flow -->"


def main() -> None:
    """Write or check. Exits with 1 and says what is wrong and what to do next."""
    options = sys.argv[1:]
    if "--check" in options or "--release" in options:
        current = events()
        if changes := breaking(released(), current):
            sys.exit("incompatible with the released events; give the event a new `major`:\n  " + "\n  ".join(changes))
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
    """Generate every document, by path."""
    schemas = {**events(), "plan": Plan.model_json_schema(), "models": ModelsConfig.model_json_schema()}
    schemas["asyncapi"] = asyncapi.document()
    return {
        **{GENERATED / f"{name}.json": _json(schema) for name, schema in schemas.items()},
        **{page: _with_picture(page.read_text(), picture) for page, picture in _pictures().items()},
        **deployment.documents(ROOT),
    }


def _pictures() -> dict[Path, str]:
    """Pages with a diagram of the flow."""
    return {ROOT / "README.md": main_path(), ROOT / "docs" / "explanation" / "architecture.md": picture()}


def _with_picture(text: str, diagram: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{diagram}{END}{after}"


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _stale(folder: Path, texts: Mapping[Path, str]) -> list[Path]:
    """List the files that are missing, differ, or are obsolete."""
    differ = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    return differ + [path for path in folder.glob("*.json") if path not in texts]


def _write(folder: Path, texts: Mapping[Path, str]) -> None:
    folder.mkdir(exist_ok=True)
    for path in _stale(folder, texts):
        if path in texts:
            path.write_text(texts[path])
        else:
            path.unlink()


def main_path() -> str:
    """Draw the way of a problem, without audits and commands, as a Mermaid chart: a line for each event."""
    lines = []
    for flow in FLOW:
        producers = [name for name in flow.producers if name not in OFF_PATH]
        consumers = [name for name in flow.consumers if name not in OFF_PATH]
        if producers and consumers and flow.name not in STORED_RUNS:
            ends = ["any service"] if len(producers) > MAX_ARROWS else producers
            lines.append(f"  {' & '.join(map(_node, ends))} -- {flow.name} --> {' & '.join(map(_node, consumers))}")
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"


def _node(name: str) -> str:
    return f"any[{name}]" if name == "any service" else name


def picture() -> str:
    """Draw the flow as a Mermaid chart of services and events."""
    names = [service.name for service in SERVICES]
    lines = [f"  {name}(({name}))" if name in ("planner", "aggregator") else f"  {name}({name})" for name in names]
    lines += ["  cli(chimera)", "  trainer[[trainer]]", "  several(several services)"]
    edges: dict[tuple[str, str], list[str]] = {}
    for flow in FLOW:
        producers = flow.producers if len(flow.producers) <= MAX_ARROWS else ("several",)
        for producer in producers:
            for consumer in flow.consumers:
                edges.setdefault((producer, consumer), []).append(flow.name)
    lines += [
        f"  {producer} -- {'<br/>'.join(events)} --> {consumer}" for (producer, consumer), events in edges.items()
    ]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"
