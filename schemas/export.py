"""Write what is generated from the schemas: JSON Schema per event and of the plan, and the flow picture in the README.

python -m schemas.export            write
python -m schemas.export --check    fail when something committed is out of date
"""

import json
import sys
from pathlib import Path

from schemas.flow import FLOW, SERVICES
from schemas.plan import Plan

ROOT = Path(__file__).parent.parent
GENERATED = ROOT / "schemas" / "generated"
README = ROOT / "README.md"
FEW = 3
"""Producers up to which each gets an arrow of its own."""

BEGIN, END = "<!-- flow: made by python -m schemas.export -->\n", "<!-- end of flow -->"


def main() -> None:
    """Write or check; exits 1 naming what is out of date."""
    wanted = documents()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    extra = [path for path in GENERATED.glob("*.json") if path not in wanted]
    if "--check" not in sys.argv[1:]:
        GENERATED.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(wanted[path])
        for path in extra:
            path.unlink()
    elif stale or extra:
        names = ", ".join(str(path.relative_to(ROOT)) for path in (*stale, *extra))
        sys.exit(f"out of date: {names}. Run: python -m schemas.export")


def documents() -> dict[Path, str]:
    """Every generated document by its path."""
    schemas = {f"{flow.name}.v{flow.event.major}": flow.event.model_json_schema() for flow in FLOW}
    schemas["plan"] = Plan.model_json_schema()
    files = {
        GENERATED / f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return {**files, README: f"{before}{BEGIN}{picture()}{END}{after}"}


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


if __name__ == "__main__":
    main()
