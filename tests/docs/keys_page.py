"""Pages of the keys of a file, from its JSON Schema and the strings below the fields of its models."""

import ast
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.codegen.export import ROOT
from tests.docs.markdown import code, table

Schema = Mapping[str, Any]


class Explanations:
    """The docstring of each class of some files, and the string below each of its fields."""

    def __init__(self, *files: Path) -> None:
        nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
        self._classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}

    def of_class(self, name: str) -> str:
        """The docstring of a class; empty without one."""
        return " ".join((ast.get_docstring(self._classes[name]) or "").split()) if name in self._classes else ""

    def of_field(self, owner: str, field: str) -> str:
        """The string below a field, also of a base class; empty without one."""
        node = self._classes.get(owner)
        if node is None:
            return ""
        for this, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(this, ast.AnnAssign) and isinstance(this.target, ast.Name) and this.target.id == field:
                text = (
                    after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
                )
                return " ".join(str(text).split())
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        return next(filter(None, (self.of_field(base, field) for base in bases)), "")


def keys_page(head: str, schema: Schema, explanations: Explanations) -> str:
    """Render a table for the top level and one for each section."""
    owner, below = str(schema["title"]), schema.get("$defs", {})
    top, sections = [], []
    for key, row, section in _rows(schema, owner, "", below, explanations):
        if section is None:
            top.append(row)
        else:
            name, path = section
            note = row[3] or explanations.of_class(name)
            top.append((*row[:3], f"{note} See [below](#{_anchor(key)})."))
            sections.append((key, name, path))
    text = f"{head}\n{table(('key', 'value', 'default', 'meaning'), top)}"
    for key, name, path in sections:
        rows = _deep(below[name], name, path, below, explanations)
        note = explanations.of_class(name)
        text += f"\n## {key}\n\n{note}\n\n{table(('key', 'value', 'default', 'meaning'), rows)}"
    return text


Row = tuple[str, str, str, str]
Section = tuple[str, str]
"""Name of a class, and the path of its keys."""


def _deep(schema: Schema, owner: str, prefix: str, below: Schema, explanations: Explanations) -> Iterator[Row]:
    """Rows of a section and of the sections in it; those of a class with several keys come once, at the end."""
    found = list(_rows(schema, owner, prefix, below, explanations))
    times = Counter(section[0] for _, _, section in found if section)
    for _, row, section in found:
        if section is None or row[3]:
            yield row
        if section and times[section[0]] == 1:
            yield from _deep(below[section[0]], *section, below, explanations)
    for name in [name for name, number in times.items() if number > 1]:
        path = f"{prefix}{owner.removesuffix('s').upper()}."
        yield from _deep(below[name], name, path, below, explanations)


def _rows(
    schema: Schema, owner: str, prefix: str, below: Schema, explanations: Explanations
) -> Iterator[tuple[str, Row, Section | None]]:
    for key, field in schema["properties"].items():
        required = key in schema.get("required", ())
        section = _section(field, f"{prefix}{key}")
        default = "required" if required else _default(field, section)
        row = (code(f"{prefix}{key}"), value(field, below), default, explanations.of_field(owner, key))
        yield key, row, section


def _section(field: Schema, path: str) -> Section | None:
    """The class of a field that has keys of its own."""
    for kind in field.get("anyOf", [field]):
        if "$ref" in kind:
            return kind["$ref"].rpartition("/")[2], f"{path}."
        if isinstance(kind.get("additionalProperties"), dict) and (
            found := _section(kind["additionalProperties"], f"{path}.NAME")
        ):
            return found
    return None


def _default(field: Schema, section: Section | None) -> str:
    default = field.get("default")
    if default in (None, {}, [], "") or (section and isinstance(default, dict)):
        return ""
    return code(default if isinstance(default, str) else json.dumps(default, ensure_ascii=False))


def value(field: Schema, below: Schema) -> str:
    """What a field may hold, in words."""
    match field:
        case {"anyOf": kinds}:
            return " or ".join(dict.fromkeys(value(kind, below) for kind in kinds if kind.get("type") != "null"))
        case {"const": only}:
            return code(only)
        case {"enum": values}:
            return ", ".join(code(one) for one in values)
        case {"$ref": _}:
            return "section"
        case {"type": "array", "items": items}:
            return f"list of {value(items, below)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"{value(values, below)} for each name"
        case {"type": "object"}:
            return "section"
        case {"type": kind}:
            names = {"integer": "whole number", "string": "text", "boolean": "true or false"}
            if field.get("format") == "path":
                return "path"
            return " ".join(filter(None, (names.get(kind, kind), _range(field))))
        case _:
            return "anything"


def _range(field: Schema) -> str:
    low = {"minimum": "from {}", "exclusiveMinimum": "above {}"}
    high = {"maximum": "to {}", "exclusiveMaximum": "below {}"}
    limits = [text.format(f"{field[key]:,}") for names in (low, high) for key, text in names.items() if key in field]
    return ", ".join(limits) if len(limits) != 2 else " ".join(limits)


def _anchor(key: str) -> str:
    return key.lower()


def plan_page() -> str:
    """Keys of a plan."""
    head = """# Plan

Every key of a plan. [Plans](../how-to/plans.md) shows how they are used; `chimera check plan FILE` names an unknown
key, its line and the key that was probably meant. NAME stands for a name that you choose.
"""
    folder = ROOT / "schemas" / "config"
    return keys_page(head, _schema("plan"), Explanations(folder / "plan.py", folder / "policies.py"))


def models_page() -> str:
    """Keys of a models file."""
    head = """# Models file

Every key of a models file, YAML or JSON. [Models](../how-to/models.md) has examples; `chimera check models` tries each
role with two calls. The file names where an API key is found, and never holds one. NAME stands for a name of yours.
"""
    return keys_page(head, _schema("models"), Explanations(ROOT / "schemas" / "config" / "models_config.py"))


def recipe_page() -> str:
    """Keys of a recipe."""
    from trainer.recipe import Recipe

    head = """# Recipe

Every key of a recipe of the trainer. [Training](../how-to/training.md) shows how they are used, and
[`paper.yaml`](../../trainer/configs/paper.yaml) is the paper's recipe.
"""
    return keys_page(head, Recipe.model_json_schema(), Explanations(ROOT / "trainer" / "recipe.py"))


def _schema(name: str) -> Schema:
    document: Schema = json.loads((ROOT / "schemas" / "generated" / f"{name}.json").read_text())
    return document
