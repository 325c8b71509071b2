r"""Reads the numbers of a text in base units: `12 cm`, `$0.12\,\mathrm{m}$` and 120 millimetres have one value.

Units serve only to compare two texts: a few dozen are known, dimensions are ignored, and an unknown unit is a word.
shared/answers converts the units of answers.
"""

import re
from dataclasses import dataclass
from decimal import Context, Decimal

_PREFIXES = {"": 0, "k": 3, "M": 6, "G": 9, "d": -1, "c": -2, "m": -3, "µ": -6, "μ": -6, "u": -6, "n": -9, "p": -12}
_PREFIXED = ("m", "g", "s", "A", "K", "mol", "J", "W", "V", "Pa", "N", "Hz", "eV", "L", "C", "T", "F", "bar")
_UNITS = {prefix + unit: Decimal(10) ** power for unit in _PREFIXED for prefix, power in _PREFIXES.items()}
_UNITS |= {name: Decimal(n) for name, n in (("min", 60), ("minute", 60), ("h", 3600), ("hour", 3600), ("day", 86_400))}
_SPELLED = {"kilo": 3, "mega": 6, "": 0, "centi": -2, "milli": -3, "micro": -6, "nano": -9}
_NAMES = ("metre", "meter", "gram", "second", "litre", "liter", "joule", "volt", "watt", "newton", "pascal", "molar")
_UNITS |= {prefix + name: Decimal(10) ** power for name in _NAMES for prefix, power in _SPELLED.items()}

_EXACT, _ROUND = Context(prec=60), Context(prec=6)

_GAP = r"(?:\s|~|\\[ ,;:!])*"
_NAMED = rf"(?:{'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})"
_FACTOR = re.compile(rf"{_GAP}(/|per\b|\\cdot|·)?{_GAP}({_NAMED})s?(?![A-Za-z])(?:\^\{{?(-?\d)\}}?)?")
_NUMBER = re.compile(r"(?<![\d.])(?:\d+(?:\.\d+)?|\.\d+)")
_TEN_TO = re.compile(r"\s*(?:\\times|\\cdot|×|·)\s*10\s*\^\s*\{?\s*(-?\d{1,3})(?!\d)\s*\}?|[eE](-?\d{1,3})(?![\w.])")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,|\\,)(?=\d{3}(?!\d))")
_FRACTION = re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)")
_WRAPPED = re.compile(r"\\(?:text|mathrm|rm|operatorname)\s*\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Quantities:
    """A text with ` # ` for each number and its unit; the numbers as written, and in base units."""

    text: str
    written: tuple[str, ...]
    values: tuple[str, ...]


def read_quantities(text: str) -> Quantities:
    """Read every number with sixty significant figures, or six after a conversion, because authors round."""
    text = _FRACTION.sub(r"\1/\2", _WRAPPED.sub(r" \1", _THOUSANDS.sub("", text)))
    parts: list[str] = []
    written: list[str] = []
    values: list[str] = []
    at = 0
    while number := _NUMBER.search(text, at):
        parts.append(text[at : number.start()])
        value, end = Decimal(number[0]), number.end()
        if scale := _TEN_TO.match(text, end):
            value, end = value.scaleb(int(scale[1] or scale[2]), _EXACT), scale.end()
        factor, end = _unit(text, end)
        written.append(str(_EXACT.normalize(value)))
        values.append(str((_EXACT if factor == 1 else _ROUND).normalize(value * factor)))
        at = end
    return Quantities(" # ".join([*parts, text[at:]]), tuple(written), tuple(values))


def _unit(text: str, at: int) -> tuple[Decimal, int]:
    """Return the factor to the base unit of the unit at a position, and its end; 1 and the position without a unit."""
    product, first = Decimal(1), True
    while match := _FACTOR.match(text, at):
        by, name, power = match[1], match[2], int(match[3] or 1)
        variable = len(name) == 1 and match.start(2) == at
        if first and (by or variable):
            break
        product *= _UNITS[name] ** (-power if by in ("/", "per") else power)
        at, first = match.end(), False
    return product, at
