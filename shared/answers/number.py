r"""Plain numbers: an integer, a decimal, a fraction, a power of ten; perhaps with a unit.

42   -3.50   1,234,567   1\,000   \frac{3}{4}   3/4   1.5e-3   6.02 \times 10^{23}   10^6   x = 5   50%   12 cm
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from schemas.item import Agreement
from shared.answers.normal import plain

LONGEST = 400
"""Characters beyond which a text is no plain number."""
SURE_DIGITS = 3
"""Significant figures from which a rounded decimal decides; 0.5 may be one half or anything near it."""

_NAME = re.compile(r"^\\?[A-Za-z]\w*(?:_\{\w+\})?\s*=\s*")
_SIGN = r"(?P<sign>[+-]?)\s*"
_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}| )\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?P<mantissa>{_DIGITS}(?:\.\d*)?|\.\d+)"
_TEN_TO = r"10\s*\^\s*(?:\{\s*(?P<braced>[+-]?\d{1,4})\s*\}|(?P<bare>[+-]?\d{1,4}))"
_SCALE = rf"(?:\s*(?:\\times|\\cdot|×|·|\*)\s*{_TEN_TO}|[eE](?P<e>[+-]?\d{{1,4}}))?"
_FRACTION = rf"\\frac\s*\{{\s*(?P<a>-?{_DIGITS})\s*\}}\s*\{{\s*(?P<b>{_DIGITS})\s*\}}"
_SLASHED = rf"(?P<c>{_DIGITS})\s*/\s*(?P<d>{_DIGITS})"

_POWER_OF_TEN = re.compile(rf"{_SIGN}{_TEN_TO}")
_RATIO = re.compile(rf"{_SIGN}(?:{_FRACTION}|{_SLASHED})(?P<unit>.*)", re.DOTALL)
_SCIENTIFIC = re.compile(rf"{_SIGN}{_DECIMAL}{_SCALE}(?P<unit>.*)", re.DOTALL)
_UNIT = re.compile(
    r"%|\^?\s*\{?\s*\\circ\s*\}?.*|°.*|\s*\\(?:text|mathrm|operatorname)\s*\{.*|\s+(?!(?:or|and|to)\b)[A-Za-zµΩÅ]"
    r"(?:[A-Za-zµΩÅ\s/·]|\^\{?-?\d+\}?)*",
    re.DOTALL,
)
_UNIT_LOOK = re.compile(r"\\(?:text|mathrm|operatorname)|[\s{}\\]")


@dataclass(frozen=True, slots=True)
class Number:
    """A value, exact as written; `half_step` is half a unit of the last digit given, 0 for integers and fractions."""

    value: Fraction
    half_step: Fraction = Fraction(0)
    digits: int = 0
    """Significant figures of a decimal."""
    unit: str = ""


def read_number(answer: str) -> Number | None:
    """Read a plain number; None for everything else."""
    text = plain(answer)
    if len(text) > LONGEST:
        return None
    text = _NAME.sub("", text)
    if found := _POWER_OF_TEN.fullmatch(text):
        return Number(_signed(found["sign"], Fraction(10) ** int(found["braced"] or found["bare"])))
    if (found := _RATIO.fullmatch(text)) and (unit := _unit(found["unit"])) is not None:
        return _ratio(found, unit)
    if (found := _SCIENTIFIC.fullmatch(text)) and (unit := _unit(found["unit"])) is not None:
        return _scientific(found, unit)
    return None


def _ratio(found: re.Match[str], unit: str) -> Number | None:
    above, below = _integer(found["a"] or found["c"]), _integer(found["b"] or found["d"])
    return Number(_signed(found["sign"], Fraction(above, below)), unit=unit) if below else None


def _scientific(found: re.Match[str], unit: str) -> Number:
    mantissa = re.sub(r"[,{} ]", "", found["mantissa"])
    whole, _, decimals = mantissa.partition(".")
    exponent = found["braced"] or found["bare"] or found["e"]
    scale = Fraction(10) ** int(exponent or 0)
    value = _signed(found["sign"], Fraction(int(f"{whole}{decimals}"), 10 ** len(decimals)) * scale)
    if not decimals and exponent is None:
        return Number(value, unit=unit)
    half_step = Fraction(1, 2 * 10 ** len(decimals)) * scale
    return Number(value, half_step, len(f"{whole}{decimals}".lstrip("0")), unit)


def _integer(text: str) -> int:
    return int(re.sub(r"[,{} ]", "", text))


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign == "-" else value


def _unit(tail: str) -> str | None:
    """The unit in a form to compare; "" for none, None when the tail is no unit (`2x`, `1, 2`)."""
    if not tail.strip():
        return ""
    return _UNIT_LOOK.sub("", tail) if _UNIT.fullmatch(tail) else None


def compare_numbers(key: Number, answer: Number) -> Agreement:
    """Equal values agree. A decimal key agrees with what rounds to it, if it states three significant figures.

    An answer that is the key rounded further than the key is, like one with another unit, is `unsure`.
    """
    if key.unit != answer.unit:
        return "unsure"
    apart = abs(key.value - answer.value)
    if apart == 0:
        return "yes"
    if apart <= key.half_step:
        return "yes" if key.digits >= SURE_DIGITS else "unsure"
    return "unsure" if apart <= answer.half_step else "no"
