"""Parses prompts: labelled values, a problem of the bank between marks or on lines of its own, a JSON Schema."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.simulator.bank import Bank
from services.simulator.bank.problem import Problem

_TAGS = re.compile(r"^\s*(?:<[^<>]+>\s*)+|(?:\s*</[^<>]+>)+\s*$")
_MARKED = r"<(data-[0-9a-f]+)>\n?(.*?)\n?</\1>"
"""A text between the marks that the factory puts around untrusted texts. It may have several lines."""
_REGION = re.compile(_MARKED, re.DOTALL)
MOST_LINES = 60
"""Lines of a prompt up to which a problem of several lines is looked for outside marks."""
_LABEL = re.compile(r"^\W*[A-Za-z][A-Za-z ]{0,30}:\W*")
_DECODER = json.JSONDecoder()
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def field(text: str, label: str) -> str | None:
    """Return the text after `label:` on the last line that begins with it, up to the closing mark; or `None`."""
    begins = rf"(?mi)^[ \t*#>-]*{re.escape(label)}[*]*:[ \t]*"
    values = re.findall(rf"{begins}(?:(?s:{_MARKED})|(.*?))[ \t]*$", text)
    return str(values[-1][1] or values[-1][2]) if values else None


def instructions(text: str) -> str:
    """Return the text without the marked parts."""
    return _REGION.sub("", text)


def canary_in(text: str) -> str:
    """Return the word that the instructions ask to repeat; empty when they ask for none."""
    match = re.search(r"(?m)^Repeat the word (\S+)", instructions(text))
    return match[1] if match else ""


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
    """Return the bank's problem on a line of the text, within any marks, or on several lines; or `None`."""
    return next((found for reading in _candidates(text) if (found := bank.find(reading))), None)


def _candidates(text: str) -> Iterator[str]:
    """Yield whole texts between marks, then each line outside them, then runs of such lines; the last ones first."""
    yield from (region for _, region in reversed(_REGION.findall(text)))
    lines = instructions(text).splitlines()
    yield from (reading for line in reversed(lines) for reading in _readings(line))
    if len(lines) <= MOST_LINES:
        ends = range(len(lines), 1, -1)
        yield from (" ".join(lines[first:end]) for end in ends for first in range(end - 1))


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
