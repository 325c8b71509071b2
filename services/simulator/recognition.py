"""Find in a prompt what it is about: labelled lines, a problem of the bank on a line of its own, a JSON Schema."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.simulator.bank import Bank
from services.simulator.bank.problem import Problem

_TAGS = re.compile(r"^\s*(?:<[^<>]+>\s*)+|(?:\s*</[^<>]+>)+\s*$")
_MARKS = re.compile(r"</?data-[0-9a-f]+>")
"""What the factory puts around texts that others wrote."""
_LABEL = re.compile(r"^\W*[A-Za-z][A-Za-z ]{0,30}:\W*")
_DECODER = json.JSONDecoder()
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def field(text: str, label: str) -> str | None:
    """Return what stands after `label:` on the last line that begins so, or None."""
    found = re.findall(rf"(?mi)^[ \t*#>-]*{re.escape(label)}[*]*:[ \t]*(.*?)[ \t]*$", text)
    return _MARKS.sub("", str(found[-1])) if found else None


def schema_title(text: str) -> str | None:
    """Return the title of the first JSON Schema of an object that stands in the text, or None."""
    if '"properties"' not in text:
        return None
    for brace in re.finditer(r"\{", text):
        try:
            found, _ = _DECODER.raw_decode(text, brace.start())
        except ValueError:
            continue
        if "properties" in found and "title" in found:
            return str(found["title"])
    return None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A problem that a prompt is about. `altered`: somebody left words out, or added some."""

    problem: Problem
    altered: bool = False


def sighted(text: str, bank: Bank) -> Sighting | None:
    """Return the problem that the text is about, word for word or altered, or None."""
    if problem := problem_in(text, bank):
        return Sighting(problem)
    near = bank.near(text)
    return Sighting(near, altered=True) if near else None


def problem_in(text: str, bank: Bank) -> Problem | None:
    """Return the bank's problem that stands on a line of the text, whatever marks enclose the line, or None."""
    return next((found for line in reversed(text.splitlines()) for reading in _readings(line)
                 if (found := bank.find(reading))), None)  # fmt: skip


def _readings(line: str) -> Iterator[str]:
    """Yield the line as it stands, then without tags, without a label, and the JSON strings in it."""
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
