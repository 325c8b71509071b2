"""The page of events, from the AsyncAPI document and the JSON Schemas that it names."""

import json
from collections.abc import Mapping
from typing import Any

from schemas.codegen.export import GENERATED, ROOT
from schemas.config.plan import Plan
from tests.docs.keys_page import Explanations
from tests.docs.markdown import code, table

Document = Mapping[str, Any]

HEAD = """# Events

From [`asyncapi.json`](../../schemas/generated/asyncapi.json), which other tools read; the JSON Schema of each payload
is beside it. A record's value is JSON. Its headers are those of CloudEvents 1.0 (`ce_id`, `ce_type`, …), `traceparent`,
and `ce_audit` for audit items. A Kafka topic has the event's name after the factory's: `chimera.problem.drafted`.
Readers pass on fields that they do not know. Every event has an `id`, derived from its `cause` ([Cause](#cause)).
"""

PLAN = {"Plan", *Plan.model_json_schema()["$defs"]}
"""Parts that the page of the plan explains."""


def events_page() -> str:
    """Render the page."""
    document = json.loads((GENERATED / "asyncapi.json").read_text())
    explanations = Explanations(*(ROOT / "schemas").rglob("*.py"))
    parts: dict[str, Document] = {}
    text = HEAD + "\n" + table(("event", "from", "to", "retention"), _overview(document))
    for name, message in document["components"]["messages"].items():
        payload = json.loads((GENERATED / f"{name}.json").read_text())
        parts |= {name: part for name, part in payload.get("$defs", {}).items() if name not in PLAN}
        summary = explanations.of_class(message["name"])
        text += f"\n## {name.rpartition('.')[0]}\n\n{summary + ' ' if summary else ''}Schema: "
        text += f"[`{name}.json`](../../schemas/generated/{name}.json).\n\n"
        text += table(("field", "value", "meaning"), _fields(payload, message["name"], explanations))
    text += "\n# Parts of events\n"
    for name in sorted(parts):
        text += f"\n## {name}\n\n{explanations.of_class(name)}\n\n"
        text += table(("field", "value", "meaning"), _fields(parts[name], name, explanations))
    return text


def _overview(document: Document) -> list[tuple[str, str, str, str]]:
    ends: dict[tuple[str, str], list[str]] = {}
    for name in document["operations"]:
        service, action, event = name.split(".", 2)
        ends.setdefault((event, action), []).append(code(service))
    rows = []
    for event, channel in document["channels"].items():
        message = document["components"]["messages"][next(iter(channel["messages"]))]
        retention = message["description"].partition(" bytes. ")[2].removesuffix(".")
        made, read = (", ".join(ends.get((event, action), [])) for action in ("send", "receive"))
        rows.append((f"[{event}](#{event.replace('.', '')})", made, read, retention))
    return rows


def _fields(schema: Document, owner: str, explanations: Explanations) -> list[tuple[str, str, str]]:
    return [
        (code(name), _value(field), explanations.of_field(owner, name))
        for name, field in schema.get("properties", {}).items()
        if name not in ("id", "cause") or owner == "Event"
    ]


def _value(field: Document) -> str:
    match field:
        case {"anyOf": kinds}:
            return " or ".join(_value(kind) for kind in kinds)
        case {"$ref": reference}:
            part = reference.rpartition("/")[2]
            return f"[{part}]({'plan.md' if part in PLAN else f'#{part.lower()}'})"
        case {"enum": values}:
            return ", ".join(code(one) for one in values)
        case {"const": only}:
            return code(only)
        case {"type": "array", "items": items}:
            return f"list of {_value(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"map to {_value(values)}"
        case {"format": kind}:
            return str(kind)
        case {"type": "null"}:
            return "null"
        case {"type": kind}:
            return str(kind)
        case _:
            return "anything"
