"""Settings as their source says them: names, explanations and defaults. Nothing is imported: schemas import nobody."""

import ast
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a settings class; `default` is its source, or `None`."""

    name: str
    explanation: str
    default: ast.expr | None


def own_settings(path: Path) -> list[Setting]:
    """The settings of every class in a file, in order. The string below a field explains it."""
    found = []
    for kind in ast.walk(ast.parse(path.read_text())):
        if isinstance(kind, ast.ClassDef):
            for field, after in zip(kind.body, [*kind.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    found.append(Setting(field.target.id, _text(after), field.value))
    return found


def environment_value(setting: Setting) -> str:
    """The default as one writes it into the environment; empty where there is none, or where it is a secret."""
    value = _literal(setting.default)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _literal(default: ast.expr | None) -> object:
    """The value of a literal, of `Field(default=…)`, or of a call with one literal such as `Path("…")`."""
    match default:
        case ast.Call(func=ast.Name(id="Field"), keywords=keywords):
            given = {word.arg: word.value for word in keywords}
            return {} if "default_factory" in given else _literal(given.get("default"))
        case ast.Call(args=[only]):
            return _literal(only)
        case ast.Call():
            return {}
        case ast.Dict() | ast.Constant() | ast.Tuple() | ast.List():
            return ast.literal_eval(default)
        case _:
            return None


def _text(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
        case _:
            return ""
