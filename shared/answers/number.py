r"""Plain numbers: an integer, a decimal, a fraction, a power of ten; perhaps with a tolerance or a unit.

42   -3.50   1,234,567   1\,000   \frac{3}{4}   3/4   1.5e-3   6.02 \times 10^{23}   10^6   3.2 ± 0.1   50%   12 cm
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from schemas.item import Agreement
from shared.answers.normal import plain, unnamed

LONGEST = 400
"""Characters beyond which a text is no plain number."""
NEAR = Fraction(1, 10**6)
"""Relative distance within which a decimal of six figures or more may be a calculator's."""
SURE_DIGITS = 3
"""Significant figures from which a rounded decimal decides; 0.5 may be one half or anything near it."""

_SIGN = r"(?P<sign>[+-]?)\s*"
_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}| )\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?P<mantissa>{_DIGITS}(?:\.\d*)?|\.\d+)"
_TEN_TO = r"10\s*\^\s*(?:\{\s*(?P<braced>[+-]?\d{1,4})\s*\}|(?P<bare>[+-]?\d{1,4}))"
_SCALE = rf"(?:\s*(?:\\times|\\cdot|×|·|\*)\s*{_TEN_TO}|[eE](?P<e>[+-]?\d{{1,4}}))?"
_TOLERANCE = r"(?:\s*(?:\\pm|±)\s*(?P<tolerance>\d+(?:\.\d+)?|\.\d+))?"
_FRACTION = rf"\\frac\s*\{{\s*(?P<a>-?{_DIGITS})\s*\}}\s*\{{\s*(?P<b>{_DIGITS})\s*\}}"
_SLASHED = rf"(?P<c>{_DIGITS})\s*/\s*(?P<d>{_DIGITS})"

_POWER_OF_TEN = re.compile(rf"{_SIGN}{_TEN_TO}")
_RATIO = re.compile(rf"{_SIGN}(?:{_FRACTION}|{_SLASHED})(?P<unit>.*)", re.DOTALL)
_SCIENTIFIC = re.compile(rf"{_SIGN}{_DECIMAL}{_TOLERANCE}{_SCALE}(?P<unit>.*)", re.DOTALL)
_CLOSE = "[cmkµn]m|kg|mol|[kMGT]?Hz|[kMGT]?eV|kJ|[kM]?Pa|kcal|[mnµ]s|[km]V"
"""Units that are written against their number too; `2n` or `3x` is a product."""
_MORE = r"(?:[A-Za-zµΩÅ\s/·*()]|\\cdot|\^\{?-?\d+\}?)*"
_UNIT = re.compile(
    rf"\s*%|\s*\^?\s*\{{?\s*\\circ\s*\}}?.*|\s*°.*|\s*\\(?:text|mathrm|operatorname)\s*\{{.*|(?:{_CLOSE})\b{_MORE}"
    rf"|\s+(?!(?:or|and|to)\b)[A-Za-zµΩÅ]{_MORE}",
    re.DOTALL,
)
_UNIT_LOOK = re.compile(r"\\(?:text|mathrm|operatorname)|[{}\\]|\s+(?=[/·*()\s])|(?<=[/·*()])\s+")


@dataclass(frozen=True, slots=True)
class Number:
    """A value, exact as written; `half_step` is half a unit of the last digit given, 0 for integers and fractions."""

    value: Fraction
    half_step: Fraction = Fraction(0)
    digits: int = 0
    """Significant figures of a decimal."""
    unit: str = ""
    """In a form that is equal for units that only look different."""
    written: str = ""
    """The unit as it was written."""
    tolerance: Fraction | None = None
    """As stated with ±."""


def read_number(answer: str) -> Number | None:
    """Read a plain number; None for everything else."""
    text = plain(answer)
    if len(text) > LONGEST:
        return None
    text = unnamed(text)[1]
    if found := _POWER_OF_TEN.fullmatch(text):
        return Number(_signed(found["sign"], Fraction(10) ** int(found["braced"] or found["bare"])))
    if (found := _RATIO.fullmatch(text)) and _is_unit(found["unit"]):
        return _ratio(found)
    if (found := _SCIENTIFIC.fullmatch(text)) and _is_unit(found["unit"]):
        return _scientific(found)
    return None


def _ratio(found: re.Match[str]) -> Number | None:
    above, below = _integer(found["a"] or found["c"]), _integer(found["b"] or found["d"])
    if not below:
        return None
    return Number(_signed(found["sign"], Fraction(above, below)), unit=_unit(found["unit"]), written=found["unit"])


def _scientific(found: re.Match[str]) -> Number | None:
    mantissa = re.sub(r"[,{} ]", "", found["mantissa"])
    whole, _, decimals = mantissa.partition(".")
    exponent = found["braced"] or found["bare"] or found["e"]
    scale = Fraction(10) ** int(exponent or 0)
    value = _signed(found["sign"], Fraction(int(f"{whole}{decimals}"), 10 ** len(decimals)) * scale)
    tolerance = Fraction(found["tolerance"]) * scale if found["tolerance"] else None
    if tolerance is not None and ("." not in found[0] or 5 * tolerance > abs(value)):
        return None  # 1 ± 2 may be two roots
    exact = not decimals and exponent is None
    half_step = Fraction(0) if exact else Fraction(1, 2 * 10 ** len(decimals)) * scale
    digits = 0 if exact else len(f"{whole}{decimals}".lstrip("0"))
    return Number(value, half_step, digits, _unit(found["unit"]), found["unit"], tolerance)


def _integer(text: str) -> int:
    return int(re.sub(r"[,{} ]", "", text))


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign == "-" else value


def _is_unit(tail: str) -> bool:
    return not tail.strip() or _UNIT.fullmatch(tail) is not None


def _unit(tail: str) -> str:
    return _UNIT_LOOK.sub("", tail).strip()


def compare_numbers(key: Number, answer: Number) -> Agreement:
    """Equal values agree. A decimal key agrees with what rounds to it, if it states three significant figures.

    Within the tolerance that a key states, any answer agrees. An answer that is the key rounded further than the key
    is, like one with another unit, is `unsure`.
    """
    if key.unit != answer.unit:
        return "unsure"
    apart = abs(key.value - answer.value)
    if apart == 0:
        return "yes"
    if key.tolerance is not None:
        return "yes" if apart <= key.tolerance else "no"
    if apart <= key.half_step:
        return "yes" if key.digits >= SURE_DIGITS else "unsure"
    calculated = answer.digits >= 6 and apart <= NEAR * abs(key.value)
    return "unsure" if apart <= answer.half_step or calculated else "no"
