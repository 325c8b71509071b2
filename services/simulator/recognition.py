"""Parses prompts: labelled lines, a problem of the bank on its own line, a JSON Schema."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.simulator.bank import Bank
from services.simulator.bank.problem import Problem

_TAGS = re.compile(r"^\s*(?:<[^<>]+>\s*)+|(?:\s*</[^<>]+>)+\s*$")
_MARKS = re.compile(r"</?data-[0-9a-f]+>")
"""The marks that the factory puts around untrusted texts."""
_LABEL = re.compile(r"^\W*[A-Za-z][A-Za-z ]{0,30}:\W*")
_DECODER = json.JSONDecoder()
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def field(text: str, label: str) -> str | None:
    """Return the text after `label:` on the last line that begins with it, or `None`."""
    values = re.findall(rf"(?mi)^[ \t*#>-]*{re.escape(label)}[*]*:[ \t]*(.*?)[ \t]*$", text)
    return _MARKS.sub("", str(values[-1])) if values else None


def schema_title(text: str) -> str | None:
    """Return the title of the first JSON Schema of an object in the text, or `None`."""
    if '"properties"' not in text:
        return None
    for brace in re.finditer(r"\{", text):
        try:
            schema, _ = _DECODER.raw_decode(text, brace.start())
        except ValueError:
            continue
        if "properties" in schema and "title" in schema:
            return str(schema["title"])
    return None


@dataclass(frozen=True, slots=True)
class Sighting:
    """The problem that a prompt is about. `altered`: words were removed or added."""

    problem: Problem
    altered: bool = False


def recognise(text: str, bank: Bank) -> Sighting | None:
    """Return the problem that the text is about, unchanged or altered, or `None`."""
    if problem := problem_in(text, bank):
        return Sighting(problem)
    near = bank.near(text)
    return Sighting(near, altered=True) if near else None


def problem_in(text: str, bank: Bank) -> Problem | None:
    """Return the bank's problem on a line of the text, within any marks, or `None`."""
    return next((found for line in reversed(text.splitlines()) for reading in _readings(line)
                 if (found := bank.find(reading))), None)  # fmt: skip


def _readings(line: str) -> Iterator[str]:
    """Yield the line, then without tags, then without a label, then the JSON strings in it."""
    if len(line) < 40:
        return
    yield line
    bare = _TAGS.sub("", html.unescape(line))
    yield bare.strip(" \t`*\"'>")
    yield _LABEL.sub("", bare).strip(" \t`*\"',}")
    for quoted in _QUOTED.findall(line):
        try:
            yield from str(json.loads(f'"{quoted}"')).splitlines()
        except ValueError:
            continue
