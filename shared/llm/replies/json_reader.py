"""Reads the JSON object in a model's reply, as kindly as it can be read without a guess.

Read: a code fence, words (with braces) before or after, several objects (the last one that fits the form), an object as
the only value of another one, a trailing comma, comments, a line feed or tab inside a string, a number or a list where
text is expected, `Yes` for `yes`, and LaTeX under a single backslash (latex_escapes.py). Refused: everything else, with
what is wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from shared.llm.replies.latex_escapes import unescape
from shared.ports import T

SIZE_LIMIT = 4 * 1024 * 1024
"""Characters of a reply that is read."""
DEPTH_LIMIT = 32
FAILED_LIMIT = 500_000
"""Characters that are read in vain, where a brace begins no object."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.S)
_WORD = re.compile(r"true|false|null|True|False|None")
_SPACE = re.compile(r"(?:\s|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.S)
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}


class Number(str):
    """A number as the reply spells it, so that `1.50` stays `1.50` where text is expected."""

    __slots__ = ()


@dataclass(slots=True)
class _Reader:
    """Recursive descent over one reply. Raises ValueError at what no rule reads."""

    text: str
    at: int
    repaired: bool = False

    def value(self, depth: int = 0) -> Any:
        if depth > DEPTH_LIMIT:
            raise ValueError("nested too deeply")
        self.skip()
        char = self.text[self.at : self.at + 1]
        if char == "{":
            return self.object(depth)
        if char == "[":
            return self.list(depth)
        if char == '"':
            return self.string()
        if found := _NUMBER.match(self.text, self.at):
            self.at = found.end()
            return Number(found[0])
        if found := _WORD.match(self.text, self.at):
            self.at = found.end()
            self.repaired |= found[0][0].isupper()
            return _WORDS[found[0]]
        raise ValueError(f"no JSON value at {self.text[self.at : self.at + 20]!r}")

    def skip(self) -> None:
        if found := _SPACE.match(self.text, self.at):
            self.repaired |= bool(found[0].strip())
            self.at = found.end()

    def take(self, char: str) -> bool:
        self.skip()
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while not self.take("}"):
            if not self.text.startswith('"', self.at):
                raise ValueError(f"no key in quotes at {self.text[self.at : self.at + 20]!r}")
            key = self.string()
            if not self.take(":"):
                raise ValueError(f"no colon after {key!r}")
            found[key] = self.value(depth + 1)
            self.separator("}")
        return found

    def list(self, depth: int) -> list[Any]:
        self.at += 1
        found = []
        while not self.take("]"):
            found.append(self.value(depth + 1))
            self.separator("]")
        return found

    def separator(self, end: str) -> None:
        comma = self.take(",")
        self.skip()
        closes = self.text.startswith(end, self.at)
        if not comma and not closes:
            raise ValueError(f"no comma at {self.text[self.at : self.at + 20]!r}")
        self.repaired |= comma and closes

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise ValueError("the text ends inside a string")
        self.at = found.end()
        text, repaired = unescape(found[1])
        self.repaired |= repaired
        return text


def read(form: type[T], text: str) -> tuple[T, bool]:
    """The last object of a reply that fits the form, and whether it needed repair. Raises ValueError with a reason."""
    if len(text) > SIZE_LIMIT:
        raise ValueError(f"the reply has {len(text):,} characters; at most {SIZE_LIMIT:,} are read")
    reason = "there is no JSON object in the reply"
    for found, repaired, rest in _objects(text):
        try:
            fitted, coerced = _fitted(form, found)
            return form.model_validate(fitted), repaired or coerced or bool(rest.strip())
        except ValidationError as error:
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}"
        except ValueError as error:
            reason = str(error)
    raise ValueError(reason)


def _objects(text: str) -> Iterator[tuple[dict[str, Any], bool, str]]:
    """Outermost objects, the last one first, with the text around each. Raises ValueError if none can be read."""
    found: list[tuple[dict[str, Any], bool, str]] = []
    reason, at, failed = "", text.find("{"), 0
    while at >= 0 and failed < FAILED_LIMIT:
        reader = _Reader(text, at)
        try:
            one = reader.object(0)
            found.append((one, reader.repaired, text[:at] + text[reader.at :]))
            at = text.find("{", reader.at)
        except (ValueError, RecursionError) as error:
            failed += reader.at - at
            reason, at = reason or str(error), text.find("{", at + 1)
    if not found and reason:
        raise ValueError(reason)
    yield from reversed(found)


def _fitted(form: type[BaseModel], found: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """`found` with numbers and lists as text, and words of a choice in its spelling, where the form wants that."""
    fitted: dict[str, Any] = {}
    coerced = False
    if (
        len(found) == 1
        and isinstance(inner := next(iter(found.values())), dict)
        and not form.model_fields.keys() & found
    ):
        return _fitted(form, inner)[0], True
    for name, field in form.model_fields.items():
        if name in found:
            fitted[name], changed = _coerce(field.annotation, found[name])
            coerced |= changed
    return fitted, coerced


def _coerce(kind: Any, value: Any) -> tuple[Any, bool]:
    choices = [choice for choice in get_args(kind) if isinstance(choice, str)]
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict):
        return _fitted(kind, value)
    if get_origin(kind) is list and isinstance(value, list) and get_args(kind):
        parts = [_coerce(get_args(kind)[0], one) for one in value]
        return [part for part, _ in parts], any(changed for _, changed in parts)
    if choices and isinstance(value, str):
        spelled = {choice.casefold(): choice for choice in choices}.get(value.strip().casefold(), value)
        return spelled, spelled != value
    if kind is bool and isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return value.strip().casefold() == "true", True
    if kind is str and not (isinstance(value, str) and not isinstance(value, Number)):
        return _as_text(value), True
    if isinstance(value, Number):
        return (float(value) if set(value) & set(".eE") else int(value)), False
    return value, False


def _as_text(value: Any) -> Any:
    """A number as it was spelled; texts of a list line by line, its numbers in one line."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return (", " if all(isinstance(one, Number) for one in value) else "\n").join(map(str, value))
    return value
