"""Reads a plan from YAML. All mistakes are told at once, each with its line, its key and, if near, the right word."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.plan import SUBJECTS, Limit, Plan, Subject
from shared.errors import Refusal

Key = tuple[str | int, ...]
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong. `line` counts from 1."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.line), self.key, self.message) if part)


def load_plan(path: Path) -> Plan:
    """The plan in a YAML file.

    Raises Refusal with one line per mistake: `plan.yaml:7: subjects.mathmatics: unknown subject; did you mean …`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refusal(f"{path}: cannot be read: {reason}", "Give the path of a plan with --plan") from error
    plan, mistakes = _parse(text)
    if plan is None:
        lines = "\n".join(f"{path}:{mistake}" for mistake in sorted(set(mistakes)))
        raise Refusal(lines, "Correct the plan and run again")
    return plan


def _parse(text: str) -> tuple[Plan | None, list[Mistake]]:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, [Mistake(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem or error.context}")]
    except (yaml.YAMLError, ValueError) as error:
        return None, [Mistake(1, "", f"not YAML: {str(error).splitlines()[0]}")]
    if not isinstance(root, yaml.MappingNode):
        return None, [Mistake(1, "", "a plan is a mapping with name, rows and subjects")]
    lines: dict[Key, int] = {(): 1}
    mistakes = list(_walk(root, (), lines)) + list(_unknown_subjects(data, lines))
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        return None, mistakes + list(_of_schema(error, lines, told=bool(mistakes)))
    return (None if mistakes else plan), mistakes


def _walk(node: yaml.Node, path: Key, lines: dict[Key, int]) -> Iterator[Mistake]:
    """Note the line of every key and entry, and tell the keys that come twice."""
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.start_mark.line + 1
            yield from _walk(child, (*path, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if here in lines and key.tag != _MERGE:
                yield Mistake(line, _dotted(here), f"given twice; the first is in line {lines[here]}")
            lines.setdefault(here, line)
            yield from _walk(child, here, lines)


def _unknown_subjects(data: dict[str, Any], lines: dict[Key, int]) -> Iterator[Mistake]:
    """The rule is the schema's; here it gets its line."""
    subjects = data.get("subjects")
    for name, subject in subjects.items() if isinstance(subjects, dict) else ():
        described = isinstance(subject, dict) and subject.get("about")
        if name not in SUBJECTS and not described:
            path = ("subjects", str(name))
            hint = _did_you_mean(str(name), SUBJECTS) or f"; there are {', '.join(SUBJECTS)}."
            yield Mistake(lines[path], _dotted(path), f"unknown subject{hint} Or say what it means with `about:`")


def _of_schema(error: ValidationError, lines: dict[Key, int], *, told: bool) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        if not path and told:
            continue  # the subjects, already told with their lines
        yield Mistake(_line(path, lines), _dotted(path), _message(path, detail["type"], detail["msg"], detail["input"]))


def _message(path: Key, kind: str, text: str, given: object) -> str:
    if kind == "extra_forbidden":
        return f"no such key{_did_you_mean(str(path[-1]), _keys(path[:-1]))}"
    if kind == "missing":
        return "is missing"
    shown = "" if isinstance(given, dict | list) else f" (it is {given!r})"
    return text.removeprefix("Value error, ").removeprefix("Input ") + shown


def _keys(path: Key) -> Iterable[str]:
    """What may stand under a path."""
    if len(path) == 2 and path[0] == "subjects":
        return Subject.model_fields
    if len(path) == 3 and path[:2] == ("budget", "models"):
        return Limit.model_fields
    model: type[BaseModel] = Plan
    for part in path:
        found = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(found, type) and issubclass(found, BaseModel)):
            return ()
        model = found
    return model.model_fields


def _did_you_mean(word: str, words: Iterable[str]) -> str:
    near = get_close_matches(word, list(words), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _line(path: Key, lines: dict[Key, int]) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _dotted(path: Key) -> str:
    return ".".join(str(part) for part in path)
