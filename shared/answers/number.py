r"""Plain numbers: an integer, a decimal, a fraction, a power of ten; perhaps with a tolerance or a unit.

42   -3.50   1,234,567   1\,000   \frac{3}{4}   3/4   1.5e-3   6.02 \times 10^{23}   10^6   3.2 ± 0.1   50%   12 cm
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from schemas.item import Agreement
from shared.answers.normal import plain, unnamed
from shared.answers.reading.tokens import SUPERSCRIPTS
from shared.answers.units import Unit, convertible, read_unit

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
_UNIT = re.compile(r"\s*(?:%|\^|°|\\|[A-Za-zµμΩÅ]).*", re.DOTALL)
_PERCENT = re.compile(r"\s*\\?%")
_COUNTED = re.compile(r"\s*\\text\s*\{ *([A-Za-z][A-Za-z ]*?) *\}|\s+([A-Za-z]{2,}(?: [A-Za-z]+)*)")
_NO_THING = re.compile(r"\b(?:or|and|to|if|for|when|otherwise|modulo|mod|not)\b")
_SUPERSCRIPT = re.compile(f"[{''.join(map(re.escape, SUPERSCRIPTS))}]+")


@dataclass(frozen=True, slots=True)
class Number:
    """A value, exact as written; `half_step` is half a unit of the last digit given, 0 for integers and fractions."""

    value: Fraction
    half_step: Fraction = Fraction(0)
    digits: int = 0
    """Significant figures of a decimal."""
    unit: str = ""
    """As written; `%` for a percentage, the words for things that are counted."""
    measure: Unit | None = None
    """The unit, where it is one."""
    tolerance: Fraction | None = None
    """As stated with ±."""


def read_number(answer: str) -> Number | None:
    """Read a plain number; None for everything else."""
    text = plain(answer)
    if len(text) > LONGEST:
        return None
    text = unnamed(text)[1]
    text = _SUPERSCRIPT.sub(lambda run: "^{" + "".join(SUPERSCRIPTS[char] for char in run[0]) + "}", text)
    if result := _POWER_OF_TEN.fullmatch(text):
        return Number(_signed(result["sign"], Fraction(10) ** int(result["braced"] or result["bare"])))
    for pattern, reader in ((_RATIO, _ratio), (_SCIENTIFIC, _scientific)):
        result = pattern.fullmatch(text)
        if result and (unit := _read_unit(result["unit"])) and (number := reader(result)):
            return replace(number, unit=unit[0], measure=unit[1])
    return None


def _read_unit(tail: str) -> tuple[str, Unit | None] | None:
    """What stands behind a number; None where that is not a unit, a percentage or a thing that is counted."""
    if not tail.strip():
        return "", None
    if _PERCENT.fullmatch(tail):
        return "%", None
    if not _UNIT.fullmatch(tail):
        return None
    if (measure := read_unit(tail)) and (tail[0] in " \\^°" or not _product(tail)):
        return tail.strip(), measure
    counted = _COUNTED.fullmatch(tail)
    return (counted[1] or counted[2], None) if counted and not _NO_THING.search(tail) else None


def _product(tail: str) -> bool:
    """`2n` or `3x` is a product; `12cm` is not."""
    return not re.match("[A-Za-zµμΩÅ]{2}", tail)


def _ratio(result: re.Match[str]) -> Number | None:
    above, below = _integer(result["a"] or result["c"]), _integer(result["b"] or result["d"])
    if not below:
        return None
    return Number(_signed(result["sign"], Fraction(above, below)))


def _scientific(result: re.Match[str]) -> Number | None:
    mantissa = re.sub(r"[,{} ]", "", result["mantissa"])
    whole, _, decimals = mantissa.partition(".")
    exponent = result["braced"] or result["bare"] or result["e"]
    scale = Fraction(10) ** int(exponent or 0)
    value = _signed(result["sign"], Fraction(int(f"{whole}{decimals}"), 10 ** len(decimals)) * scale)
    tolerance = Fraction(result["tolerance"]) * scale if result["tolerance"] else None
    if tolerance is not None and ("." not in result[0] or 5 * tolerance > abs(value)):
        return None  # 1 ± 2 may be two roots
    exact = not decimals and exponent is None
    half_step = Fraction(0) if exact else Fraction(1, 2 * 10 ** len(decimals)) * scale
    digits = 0 if exact else len(f"{whole}{decimals}".lstrip("0"))
    return Number(value, half_step, digits, tolerance=tolerance)


def _integer(text: str) -> int:
    return int(re.sub(r"[,{} ]", "", text))


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign == "-" else value


def compare_numbers(key: Number, answer: Number) -> Agreement:
    """Equal values agree. A decimal key agrees with what rounds to it, if it states three significant figures.

    Within the tolerance that a key states, any answer agrees. An answer that is the key rounded further than the key
    is, like one with a unit on one side only, is `unsure`.
    """
    if key.measure and answer.measure:
        return _quantities(key, key.measure, answer, answer.measure)
    if key.unit != answer.unit or key.measure or answer.measure:
        return "unsure"
    return _values(key, answer)


def _quantities(key: Number, one: Unit, answer: Number, other: Unit) -> Agreement:
    """The answer in the key's unit, compared as numbers are."""
    possible = convertible(one, other)
    if possible is None:
        return "unsure"
    if not possible:
        return "no"
    factor = other.factor / one.factor
    shift = (other.offset - one.offset) / one.factor
    agrees = _values(key, replace(answer, value=answer.value * factor + shift, half_step=answer.half_step * factor))
    return "unsure" if shift and agrees == "no" else agrees


def _values(key: Number, answer: Number) -> Agreement:
    apart = abs(key.value - answer.value)
    if apart == 0:
        return "yes"
    if key.tolerance is not None:
        return "yes" if apart <= key.tolerance else "no"
    if apart <= key.half_step:
        return "yes" if key.digits >= SURE_DIGITS else "unsure"
    calculated = answer.digits >= 6 and apart <= NEAR * abs(key.value)
    return "unsure" if apart <= answer.half_step or calculated else "no"
