"""Reads a file that a person wrote, YAML or JSON, into a model.

All mistakes are told at once, each with its line, its key and, if near, the right word.

What the schema cannot say, or says without a line, a caller tells as findings: a path in the file, and a message.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from shared.errors import Refusal

T = TypeVar("T", bound=BaseModel)
Key = tuple[str | int, ...]
Finding = tuple[Key, str]
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, order=True)
class ConfigError:
    """One thing that is wrong. `line` counts from 1."""

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
    """What it is at the top, as in "a mapping with name, rows and subjects"."""
    option: str
    """How its path is given."""
    before: Callable[[dict[str, Any]], Iterable[Finding]]
    """Findings in what was read, whatever it is. The schema refuses each of them too."""
    after: Callable[[T], Iterable[Finding]] = lambda _: ()
    """Findings in what the schema accepts."""

    def read(self, path: Path) -> T:
        """The model in a file.

        Raises Refusal with one line per mistake: `plan.yaml:7: subjects.mathmatics: unknown subject; did you mean …`.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            said = f"{path}: cannot be read: {reason}"
            raise Refusal(said, f"Give the path of a {self.name} with {self.option}") from error
        found, mistakes = self._parse(text)
        if found is None or mistakes:
            lines = "\n".join(f"{path}:{mistake}" for mistake in sorted(set(mistakes)))
            raise Refusal(lines, f"Correct the {self.name} and run again")
        return found

    def _parse(self, text: str) -> tuple[T | None, list[ConfigError]]:
        try:
            root = yaml.compose(text, yaml.SafeLoader)
            data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            return None, [ConfigError(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem or error.context}")]
        except (yaml.YAMLError, ValueError) as error:
            return None, [ConfigError(1, "", f"not YAML: {str(error).splitlines()[0]}")]
        if not isinstance(root, yaml.MappingNode):
            return None, [ConfigError(1, "", f"a {self.name} is {self.shape}")]
        lines: dict[Key, int] = {(): 1}
        mistakes = [*_walk(root, (), lines), *_with_lines(self.before(data), lines)]
        try:
            found = self.model.model_validate(data)
        except ValidationError as error:
            return None, mistakes + list(_with_lines(self._of_schema(error, told=bool(mistakes)), lines))
        return found, mistakes + list(_with_lines(self.after(found), lines))

    def _of_schema(self, error: ValidationError, *, told: bool) -> Iterator[Finding]:
        for detail in error.errors(include_url=False):
            path = tuple(part for part in detail["loc"] if part != "[key]")
            if not path and told:
                continue  # a finding of `before`, already told with its line
            yield path, self._message(path, detail["type"], detail["msg"], detail["input"])

    def _message(self, path: Key, kind: str, text: str, given: object) -> str:
        if kind == "extra_forbidden":
            return f"no such key{did_you_mean(str(path[-1]), _keys(self.model, path[:-1]))}"
        if kind == "missing":
            return "is missing"
        secret = isinstance(given, dict | list) or self.model.model_config.get("hide_input_in_errors")
        return text.removeprefix("Value error, ").removeprefix("Input ") + ("" if secret else f" (it is {given!r})")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The right word as the end of a message; empty when none is near."""
    near = get_close_matches(word, list(words), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _walk(node: yaml.Node, path: Key, lines: dict[Key, int]) -> Iterator[ConfigError]:
    """Note the line of every key and entry, and tell the keys that come twice."""
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.start_mark.line + 1
            yield from _walk(child, (*path, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if here in lines and key.tag != _MERGE:
                yield ConfigError(line, _dotted(here), f"given twice; the first is in line {lines[here]}")
            lines.setdefault(here, line)
            yield from _walk(child, here, lines)


def _with_lines(findings: Iterable[Finding], lines: dict[Key, int]) -> Iterator[ConfigError]:
    """Give findings their lines: that of the key, or of the nearest one above it."""
    for path, message in findings:
        near = path
        while near not in lines:
            near = near[:-1]
        yield ConfigError(lines[near], _dotted(path), message)


def _keys(kind: Any, path: Key) -> Iterable[str]:
    """What may stand under a path."""
    for part in path:
        kind = _under(kind, str(part))
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _under(kind: Any, key: str) -> Any:
    """Type of what stands under a key; `None` when nothing may."""
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
