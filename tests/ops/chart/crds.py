"""Writes strict JSON Schemas of the chart's custom resources, from their upstream definitions.

    python -m tests.ops.chart.crds SOURCE=FILE.yaml …     adds to crds.json; SOURCE: what, and which version

A cluster silently drops unknown keys; these schemas refuse them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "crds.json"
KEPT = {"type", "enum", "pattern", "minimum", "maximum", "minLength", "minItems", "required", "items", "format"}
UNCHECKED = {"template", "receivers"}
"""Pod templates, whose schema Kubernetes has, and receivers of alerts, which are the user's: thousands of lines."""


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI schema without descriptions that allows no other keys."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {name: value for name, value in schema.items() if name in KEPT}
    if "(?" in made.get("pattern", ""):
        del made["pattern"]  # in Go's own syntax
    if properties := schema.get("properties"):
        made["properties"] = {name: {} if name in UNCHECKED else strict(value) for name, value in properties.items()}
        made["additionalProperties"] = False
    elif isinstance(values := schema.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(values)
    if "items" in made:
        made["items"] = strict(made["items"])
    return made


def main(sources: list[str]) -> None:
    """Write the file."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    for source in sources:
        name, _, path = source.partition("=")
        crd = yaml.safe_load(Path(path).read_text())["spec"]
        for version in crd["versions"]:
            if version["served"]:
                key = f"{crd['group']}/{version['name']}/{crd['names']['kind']}"
                spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
                found[key] = {"from": name, "spec": strict(spec)}
    lines = [f"{json.dumps(key)}: {json.dumps(found[key], separators=(',', ':'))}" for key in sorted(found)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
