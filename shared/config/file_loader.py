"""Loads a YAML or JSON file that a person wrote into a pydantic model.

Reports all mistakes together, each with its line, its key and, if there is a close one, the correct word. For a rule
that the schema cannot check, or reports without a line, a caller adds findings: a path in the file and a message.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from shared.config import safe_yaml
from shared.errors import Refusal

T = TypeVar("T", bound=BaseModel)
Key = tuple[str | int, ...]
Finding = tuple[Key, str]
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, order=True)
class ConfigError:
    """One error. `line` counts from 1."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.line), self.key, self.message) if part)


@dataclass(frozen=True, slots=True)
class FileKind(Generic[T]):
    """A kind of file."""

    model: type[T]
    name: str
    shape: str
    """Its top level, such as "a mapping with name, rows and subjects"."""
    option: str
    """The option that gives its path."""
    before: Callable[[dict[str, Any]], Iterable[Finding]]
    """Finds mistakes in the raw data of any shape. The schema refuses each of them too."""
    after: Callable[[T], Iterable[Finding]] = lambda _: ()
    """Finds mistakes in valid data."""

    def read(self, path: Path) -> T:
        """Load a file.

        Raises Refusal with one line per error: `plan.yaml:7: subjects.mathmatics: unknown subject; did you mean …`.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            message = f"{path}: cannot be read: {reason}"
            raise Refusal(message, f"Give the path of a {self.name} with {self.option}") from error
        content, mistakes = self._parse(text)
        if content is None or mistakes:
            lines = "\n".join(f"{path}:{error}" for error in sorted(set(mistakes)))
            raise Refusal(lines, f"Correct the {self.name} and run again")
        return content

    def _parse(self, text: str) -> tuple[T | None, list[ConfigError]]:
        try:
            root = safe_yaml.compose(text)
            data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            return None, [ConfigError(line, "", f"not valid YAML: {error.problem or error.context}")]
        except (yaml.YAMLError, ValueError) as error:
            return None, [ConfigError(1, "", f"not valid YAML: {str(error).splitlines()[0]}")]
        if not isinstance(root, yaml.MappingNode):
            return None, [ConfigError(1, "", f"a {self.name} is {self.shape}")]
        lines: dict[Key, int] = {(): 1}
        mistakes = [*_walk(root, (), lines), *_with_lines(self.before(data), lines)]
        try:
            content = self.model.model_validate(data)
        except ValidationError as error:
            return None, mistakes + list(_with_lines(self._schema_findings(error, has_mistakes=bool(mistakes)), lines))
        return content, mistakes + list(_with_lines(self.after(content), lines))

    def _schema_findings(self, error: ValidationError, *, has_mistakes: bool) -> Iterator[Finding]:
        for detail in error.errors(include_url=False):
            path = tuple(part for part in detail["loc"] if part != "[key]")
            if not path and has_mistakes:
                continue  # `before` has reported it, with its line
            yield path, self._message(path, detail["type"], detail["msg"], detail["input"])

    def _message(self, path: Key, kind: str, text: str, value: object) -> str:
        if kind == "extra_forbidden":
            return f"no such key{did_you_mean(str(path[-1]), _keys(self.model, path[:-1]))}"
        if kind == "missing":
            return "is missing"
        secret = isinstance(value, dict | list) or self.model.model_config.get("hide_input_in_errors")
        return text.removeprefix("Value error, ").removeprefix("Input ") + ("" if secret else f" (it is {value!r})")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The closest word as the end of a message; empty when none is close."""
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _walk(node: yaml.Node, path: Key, lines: dict[Key, int]) -> Iterator[ConfigError]:
    """Collect the line of every key and entry, and report duplicate keys."""
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.start_mark.line + 1
            yield from _walk(child, (*path, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if here in lines and key.tag != _MERGE:
                yield ConfigError(line, _dotted(here), f"duplicate key; the first is in line {lines[here]}")
            lines.setdefault(here, line)
            yield from _walk(child, here, lines)


def _with_lines(findings: Iterable[Finding], lines: dict[Key, int]) -> Iterator[ConfigError]:
    """Add the line of each finding: that of its key, or of the closest key above it."""
    for path, message in findings:
        parent = path
        while parent not in lines:
            parent = parent[:-1]
        yield ConfigError(lines[parent], _dotted(path), message)


def _keys(kind: Any, path: Key) -> Iterable[str]:
    """The keys allowed under a path."""
    for part in path:
        kind = _child_type(kind, str(part))
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _child_type(kind: Any, key: str) -> Any:
    """Type of the value of a key; `None` when there is none."""
    if get_origin(kind) is dict:
        kind = get_args(kind)[1]
    elif isinstance(kind, type) and issubclass(kind, BaseModel) and key in kind.model_fields:
        kind = kind.model_fields[key].annotation
    else:
        return None
    optional = get_origin(kind) in (Union, UnionType)
    return next(part for part in get_args(kind) if part is not NoneType) if optional else kind


def _dotted(path: Key) -> str:
    return ".".join(str(part) for part in path)
