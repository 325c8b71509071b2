"""Quantities in different units, by pint. Imported where time and memory are limited: in the worker."""

import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from schemas.item import Agreement
from shared.answers.number import Number, compare_numbers

_WRITTEN = (
    (re.compile(r"\^\s*\{\s*([+-]?\d+)\s*\}"), r"^\1"),
    (re.compile(r"\\(?:text|mathrm|operatorname)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|°)\s*([CF])\b|\bdegrees? ([CF])(?:elsius|ahrenheit)?\b"), r" deg\1\2 "),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?|°"), " degree "),
    (re.compile(r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|[·×]"), "*"),
    (re.compile(r"\\mu(?![A-Za-z])\s*"), "µ"),
    (re.compile(r"\\Omega(?![A-Za-z])|Ω"), "ohm"),
    (re.compile(r"\^"), "**"),
)
_READABLE = re.compile(r"[A-Za-zµÅ\s*/()0-9-]{1,80}")
_OPEN = re.compile(r"/[^()]*[\s*/]\w")
"""J/mol K: divided by both, or by one?"""


@cache
def registry() -> Any:
    """Every unit that pint knows, with exact fractions."""
    from pint import UnitRegistry

    return UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None)


def compare_quantities(key: Number, answer: Number) -> tuple[Agreement, str]:
    """The answer in the key's unit, compared as numbers are.

    Raises what pint raises for a unit that it does not know, or that is one of something else: with natural units, or
    a name that is a variable, that proves nothing.
    """
    theirs, ours = _unit(answer.written), _unit(key.written)
    if _turns(theirs) != _turns(ours):
        return "unsure", "an angle on one side, which has no dimension"
    offset, factor = (_in(theirs, ours, value) for value in (0, 1))
    factor -= offset
    given = replace(
        answer, value=answer.value * factor + offset, half_step=answer.half_step * abs(factor), unit=key.unit
    )
    agrees = compare_numbers(key, given)
    if offset and agrees == "no":
        return "unsure", "a temperature or a difference of temperatures"
    return agrees, ""


def _turns(unit: Any) -> bool:
    """Whether there is an angle in it: 3 Hz is not 3 rad/s, though both are 3/s."""
    return "radian" in registry().get_root_units(unit)[1]._units


def _in(theirs: Any, ours: Any, value: int) -> Fraction:
    return Fraction(registry().Quantity(Fraction(value), theirs).to(ours).magnitude)


def _unit(written: str) -> Any:
    text = written
    for pattern, instead in _WRITTEN:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    if not _READABLE.fullmatch(text) or _OPEN.search(text):
        raise ValueError(f"no unit: {written}")
    return registry().parse_units(text)
