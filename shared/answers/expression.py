"""Expressions and quantities, by math-verify and pint in a process of their own. What they misread they do not see."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.answers.normal import math_form, other_names, unnamed
from shared.answers.number import read_number
from shared.answers.symbolic import METHOD, SymbolicWorker
from shared.ports import Comparison

Pair = tuple[str, str]

_SEVERAL = re.compile(r"(?<![A-Za-z\\])(?:or|and)(?![A-Za-z])|\\(?:lor|vee|quad)(?![A-Za-z])|\\text\{ *(?:or|and)")
_MIXED = re.compile(r"\d \d+/|\d\s*\\frac\s*\{\d+\}\s*\{\d+\}")
_UNREADABLE = re.compile(
    r"%|\d[eE][+-]?\d|\\text|\\mathrm|\\operatorname|\^\s*\{?\s*\\circ|°|[$€£¥]|\d(?:cm|mm|km|kg|mol)\b"  # units
    r"|\d\)?_\{?\d|[0-9A-Fa-f]{2}_\{?16|0[xb]\w|\d\.\d{3}\.\d{3}|\d:\d|\d/\d+/\d|\.\d*\(\d|\\overline"  # numbers
    r"|[\d.]\s*(?:\\pm|±)\s*[\d.]|\.\.|…|dots|'|′|\\prime|!!|\\langle|\\d?dot|\\bar|\\hat"  # marks
    r"|\bO\(|\\mathcal|\\Theta\(|\\sim|\\approx|\\equiv|\\p?mod"  # relations
    r"|/\s*\w+\s*[A-Za-z\\(]"  # 1/2x: a half of x, or one over 2x?
)
_WORDS = re.compile(
    r"(?<![A-Za-z\\])(?:[A-Za-z]{4,}|[A-Z]{3,}|sin|cos|tan|cot|sec|csc|exp|log|deg|rad|mod)(?![A-Za-z])"
)
_LOG = re.compile(r"\\log(?!\s*_)")
_LETTERS = re.compile(r"\\[A-Za-z]+|[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A rule over the worker."""

    worker: SymbolicWorker

    async def __call__(self, key: str, answer: str, answer_type: str) -> Comparison | None:
        [found] = await self.compare([(key, answer)])
        return found

    async def compare(self, pairs: Sequence[Pair]) -> list[Comparison]:
        """Compare pairs, all within one time limit; what may not be shown to the worker is `unsure`."""
        shown = {pair: _shown(*pair) for pair in pairs if not _misread(*pair)}
        asked = iter(await self.worker.compare_many(list(shown.values())) if shown else ())
        found = {pair: _settled(*sides, next(asked)) for pair, sides in shown.items()}
        return [found.get(pair) or Comparison("unsure", METHOD, _misread(*pair)) for pair in pairs]


def two_units(key: str, answer: str) -> bool:
    """Whether both are numbers with units, and the units are not written alike."""
    left, right = read_number(key), read_number(answer)
    return left is not None and right is not None and bool(left.unit and right.unit) and left.unit != right.unit


def _shown(key: str, answer: str) -> Pair:
    if two_units(key, answer):
        return key, answer
    return unnamed(math_form(key))[1], unnamed(math_form(answer))[1]


def _misread(key: str, answer: str) -> str:
    """Why the worker must not see this pair; empty when it may."""
    if other_names(key, answer):
        return "they give values of different names"
    if two_units(key, answer):
        return ""
    left, right = math_form(key), math_form(answer)
    if not left or not right:
        return "nothing to compare"
    for side in (left, right):
        if _SEVERAL.search(side):
            return "several answers"
        if _UNREADABLE.search(side):
            return "a unit, a percentage, a number base, words, or a notation that math-verify misreads"
        if _WORDS.search(side):
            return "words, which math-verify reads as products of letters"
        if _MIXED.search(side):
            return "a number before a fraction: a sum or a product"
    if _bracket(left) != _bracket(right):
        return "brackets of different kinds: set, tuple and interval are not the same"
    return ""


def _bracket(text: str) -> str:
    """Kind of a list: its outer brackets when commas stand inside, else empty."""
    if "," not in text:
        return ""
    text = text.replace("\\{", "{").replace("\\}", "}").replace("\\lbrace", "{").replace("\\rbrace", "}")
    return text[0] + text[-1] if text[0] in "([{" and text[-1] in ")]}" else "bare"


def _settled(key: str, answer: str, found: Comparison) -> Comparison:
    if found.method != METHOD:
        return found
    if found.agrees == "no" and bool(_LOG.search(key)) != bool(_LOG.search(answer)):
        return Comparison("unsure", METHOD, "the base of a logarithm is open")
    if found.agrees == "yes" and _case_differs(key, answer):
        return Comparison("unsure", METHOD, "capitals differ, which math-verify does not see")
    if found.agrees == "yes" and _capitals(key) != _capitals(answer):
        return Comparison("unsure", METHOD, "capitals in another order: matrices do not commute")
    return found


def _case_differs(key: str, answer: str) -> bool:
    left, right = set(_LETTERS.findall(key)), set(_LETTERS.findall(answer))
    return left != right and {x.casefold() for x in left} == {x.casefold() for x in right}


def _capitals(text: str) -> list[str]:
    return [letter for letter in _LETTERS.findall(text) if letter.isupper()]
