"""Does an answer agree with the key? Graders in order, cheapest first; the first that can tell decides.

A wrong "yes" puts a bad row into the dataset and a wrong "no" throws a good one out, so each grader speaks only about
what it is sure to read, and what none can tell is `unsure`.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.answers.normal import math_form, text_form
from shared.answers.number import compare_numbers, read_number
from shared.answers.symbolic import SymbolicWorker
from shared.ports import Comparison

LONGEST = 1000
"""Characters of an answer beyond which no expression is tried."""

Rule = Callable[[str, str, str], Awaitable[Comparison | None]]
"""(key, answer, answer type) → what it found, or None when it cannot tell."""

_SEVERAL = re.compile(r"(?<![A-Za-z\\])(?:or|and)(?![A-Za-z])")
_MIXED = re.compile(r"\d \d+/|\d\s*\\frac\s*\{\d+\}\s*\{\d+\}")
_UNREADABLE = re.compile(r"%|\d[eE][+-]?\d|\\text|\\mathrm|\\operatorname|\^\s*\{?\s*\\circ|°|_\{?(?:2|8|10|16)\}?$")
_LOG = re.compile(r"\\log(?!\s*_)")
_LETTERS = re.compile(r"\\[A-Za-z]+|[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Graders:
    """A `shared.ports.Grader` made of rules."""

    rules: Sequence[Rule]

    async def compare(self, key: str, answer: str, answer_type: str) -> Comparison:
        for rule in self.rules:
            if found := await rule(key, answer, answer_type):
                return found
        return Comparison("unsure", "none", "no rule can compare these")


async def same_form(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Equal but for the look."""
    return Comparison("yes", "normal_form") if math_form(key) == math_form(answer) else None


async def numeric(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Both are plain numbers: decided here, either way."""
    left, right = read_number(key), read_number(answer)
    if left is None or right is None:
        return None
    agrees = compare_numbers(left, right)
    return Comparison(agrees, "numeric", "rounding or unit differs" if agrees == "unsure" else "")


async def words(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Equal words agree. Different words may mean the same, except where there are but two answers."""
    if answer_type != "text":
        return None
    left, right = text_form(key), text_form(answer)
    if left == right:
        return Comparison("yes", "text")
    for pair in ({"yes", "no"}, {"true", "false"}):
        if {left, right} == pair:
            return Comparison("no", "text")
    return Comparison("unsure", "text", "different words may mean the same")


@dataclass(frozen=True, slots=True)
class Symbolic:
    """Expressions, by math-verify. What it is known to misread is not shown to it."""

    worker: SymbolicWorker

    async def __call__(self, key: str, answer: str, answer_type: str) -> Comparison | None:
        left, right = math_form(key), math_form(answer)
        if why := _misread(left, right):
            return Comparison("unsure", "symbolic", why)
        found = await self.worker.compare(left, right)
        if found.agrees == "no" and bool(_LOG.search(left)) != bool(_LOG.search(right)):
            return Comparison("unsure", found.method, "the base of a logarithm is open")
        if found.agrees == "yes" and _case_differs(left, right):
            return Comparison("unsure", found.method, "capitals differ, which math-verify does not see")
        return found


def _misread(key: str, answer: str) -> str:
    """Why math-verify must not see this pair; empty when it may."""
    if max(len(key), len(answer)) > LONGEST:
        return "too long for an expression"
    if _bracket(key) != _bracket(answer):
        return "brackets of different kinds: set, tuple and interval are not the same"
    if _SEVERAL.search(key) or _SEVERAL.search(answer):
        return "several answers"
    if _UNREADABLE.search(key) or _UNREADABLE.search(answer):
        return "a unit, a percentage, words, or a notation that math-verify misreads"
    if _MIXED.search(key) or _MIXED.search(answer):
        return "a number before a fraction: a sum or a product"
    return ""


def _bracket(text: str) -> str:
    """Kind of a list: its outer brackets when commas stand inside, else empty."""
    if "," not in text:
        return ""
    text = text.replace("\\{", "{").replace("\\}", "}").replace("\\lbrace", "{").replace("\\rbrace", "}")
    return text[0] + text[-1] if text[0] in "([{" and text[-1] in ")]}" else "bare"


def _case_differs(key: str, answer: str) -> bool:
    left, right = set(_LETTERS.findall(key)), set(_LETTERS.findall(answer))
    return left != right and {x.casefold() for x in left} == {x.casefold() for x in right}


def standard(worker: SymbolicWorker) -> Graders:
    """The graders every service uses."""
    return Graders((same_form, numeric, words, Symbolic(worker)))
