"""Units of measurement: a table of our own, so that a unit is known or not, and conversion is exact.

A library that guesses (`a` is an are, `h` may be Planck's constant, prefixes go with everything) would read letters as
units. Values of the table are those of the SI brochure (9th edition) and NIST SP 811.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

BASE = ("m", "kg", "s", "A", "K", "mol", "cd", "bit")
Dimension = tuple[int, ...]
_PREFIXES = {
    "": 0, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2,
    "m": -3, "µ": -6, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor to the base units, and the dimension; `kind` parts what has one dimension: Bq and Hz, N m and J."""

    factor: Fraction
    dimension: Dimension
    kind: str = ""
    offset: Fraction = Fraction(0)
    natural: bool = False
    """Whether it is used across dimensions (eV for a mass): another dimension is then no other answer."""


def _dim(**powers: int) -> Dimension:
    return tuple(powers.get(base, 0) for base in BASE)


_ENERGY = _dim(kg=1, m=2, s=-2)
_PRESSURE = _dim(kg=1, m=-1, s=-2)
_PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534")
_PREFIXED: dict[str, Unit] = {
    "m": Unit(Fraction(1), _dim(m=1)),
    "g": Unit(Fraction(1, 1000), _dim(kg=1)),
    "s": Unit(Fraction(1), _dim(s=1)),
    "A": Unit(Fraction(1), _dim(A=1)),
    "K": Unit(Fraction(1), _dim(K=1), "K", natural=True),
    "mol": Unit(Fraction(1), _dim(mol=1)),
    "cd": Unit(Fraction(1), _dim(cd=1), "cd"),
    "Hz": Unit(Fraction(1), _dim(s=-1), "Hz", natural=True),
    "N": Unit(Fraction(1), _dim(kg=1, m=1, s=-2)),
    "Pa": Unit(Fraction(1), _PRESSURE),
    "J": Unit(Fraction(1), _ENERGY, "J"),
    "W": Unit(Fraction(1), _dim(kg=1, m=2, s=-3), "W"),
    "C": Unit(Fraction(1), _dim(A=1, s=1)),
    "V": Unit(Fraction(1), _dim(kg=1, m=2, s=-3, A=-1)),
    "F": Unit(Fraction(1), _dim(kg=-1, m=-2, s=4, A=2)),
    "Ω": Unit(Fraction(1), _dim(kg=1, m=2, s=-3, A=-2)),
    "S": Unit(Fraction(1), _dim(kg=-1, m=-2, s=3, A=2)),
    "Wb": Unit(Fraction(1), _dim(kg=1, m=2, s=-2, A=-1)),
    "T": Unit(Fraction(1), _dim(kg=1, s=-2, A=-1)),
    "H": Unit(Fraction(1), _dim(kg=1, m=2, s=-2, A=-2)),
    "lm": Unit(Fraction(1), _dim(cd=1), "lm"),
    "lx": Unit(Fraction(1), _dim(cd=1, m=-2), "lx"),
    "Bq": Unit(Fraction(1), _dim(s=-1), "Bq"),
    "Ci": Unit(Fraction(37 * 10**9), _dim(s=-1), "Bq"),
    "Gy": Unit(Fraction(1), _dim(m=2, s=-2), "Gy"),
    "Sv": Unit(Fraction(1), _dim(m=2, s=-2), "Sv"),
    "kat": Unit(Fraction(1), _dim(mol=1, s=-1)),
    "eV": Unit(Fraction("1.602176634e-19"), _ENERGY, "J", natural=True),
    "cal": Unit(Fraction("4.184"), _ENERGY, "J"),
    "L": Unit(Fraction(1, 1000), _dim(m=3)),
    "l": Unit(Fraction(1, 1000), _dim(m=3)),
    "M": Unit(Fraction(1000), _dim(mol=1, m=-3)),
    "bar": Unit(Fraction(10**5), _PRESSURE),
    "Torr": Unit(Fraction(101325, 760), _PRESSURE),
    "G": Unit(Fraction(1, 10**4), _dim(kg=1, s=-2, A=-1)),
    "Da": Unit(Fraction("1.66053906660e-27"), _dim(kg=1)),
    "pc": Unit(Fraction("3.0856775814913673e16"), _dim(m=1)),
    "rad": Unit(1 / (2 * _PI), _dim(), "turn", natural=True),
    "sr": Unit(Fraction(1), _dim(), "sr", natural=True),
    "bit": Unit(Fraction(1), _dim(bit=1)),
    "B": Unit(Fraction(8), _dim(bit=1)),
    "t": Unit(Fraction(1000), _dim(kg=1)),
    "Jy": Unit(Fraction(1, 10**26), _dim(kg=1, s=-2)),
    "P": Unit(Fraction(1, 10), _dim(kg=1, m=-1, s=-1)),
}
_PLAIN: dict[str, Unit] = {
    "min": Unit(Fraction(60), _dim(s=1)),
    "h": Unit(Fraction(3600), _dim(s=1)),
    "d": Unit(Fraction(86400), _dim(s=1)),
    "atm": Unit(Fraction(101325), _PRESSURE),
    "mmHg": Unit(Fraction(101325, 760), _PRESSURE),
    "torr": Unit(Fraction(101325, 760), _PRESSURE),
    "psi": Unit(Fraction("6894.757293168"), _PRESSURE),
    "Å": Unit(Fraction(1, 10**10), _dim(m=1)),
    "in": Unit(Fraction("0.0254"), _dim(m=1)),
    "ft": Unit(Fraction("0.3048"), _dim(m=1)),
    "yd": Unit(Fraction("0.9144"), _dim(m=1)),
    "mi": Unit(Fraction("1609.344"), _dim(m=1)),
    "AU": Unit(Fraction(149597870700), _dim(m=1)),
    "au": Unit(Fraction(149597870700), _dim(m=1), "au"),
    "ly": Unit(Fraction(9460730472580800), _dim(m=1)),
    "lb": Unit(Fraction("0.45359237"), _dim(kg=1)),
    "oz": Unit(Fraction("0.028349523125"), _dim(kg=1)),
    "amu": Unit(Fraction("1.66053906660e-27"), _dim(kg=1)),
    "erg": Unit(Fraction(1, 10**7), _ENERGY, "J"),
    "dyn": Unit(Fraction(1, 10**5), _dim(kg=1, m=1, s=-2)),
    "ha": Unit(Fraction(10**4), _dim(m=2)),
    "kWh": Unit(Fraction(3600000), _ENERGY, "J"),
    "Wh": Unit(Fraction(3600), _ENERGY, "J"),
    "mph": Unit(Fraction("0.44704"), _dim(m=1, s=-1)),
    "km/h": Unit(Fraction(5, 18), _dim(m=1, s=-1)),
    "cc": Unit(Fraction(1, 10**6), _dim(m=3)),
    "deg": Unit(Fraction(1, 360), _dim(), "turn", natural=True),
    "gradian": Unit(Fraction(1, 400), _dim(), "turn", natural=True),
    "turn": Unit(Fraction(1), _dim(), "turn", natural=True),
    "arcmin": Unit(Fraction(1, 21600), _dim(), "turn", natural=True),
    "arcsec": Unit(Fraction(1, 1296000), _dim(), "turn", natural=True),
    "degC": Unit(Fraction(1), _dim(K=1), "scale", Fraction("273.15")),
    "degF": Unit(Fraction(5, 9), _dim(K=1), "scale", Fraction("459.67") * Fraction(5, 9)),
    "eV/c^2": Unit(Fraction(0), _dim(), "never"),
}
_WORDS = {
    "meter": "m", "metre": "m", "gram": "g", "second": "s", "sec": "s", "minute": "min", "hour": "h", "hr": "h",
    "day": "d", "liter": "L", "litre": "L", "joule": "J", "newton": "N", "pascal": "Pa", "watt": "W", "volt": "V",
    "ampere": "A", "amp": "A", "ohm": "Ω", "hertz": "Hz", "mole": "mol", "kelvin": "K", "coulomb": "C", "tesla": "T",
    "farad": "F", "henry": "H", "weber": "Wb", "siemens": "S", "degree": "deg", "radian": "rad", "gradian": "gradian",
    "angstrom": "Å", "electronvolt": "eV", "calorie": "cal", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv",
    "lumen": "lm", "lux": "lx", "candela": "cd", "inch": "in", "foot": "ft", "feet": "ft", "mile": "mi",
    "pound": "lb", "byte": "B", "bit": "bit", "tonne": "t", "parsec": "pc", "dyne": "dyn", "mmHg": "mmHg",
    "molar": "M", "atmosphere": "atm", "ohms": "Ω", "steradian": "sr", "katal": "kat", "curie": "Ci",
}  # fmt: skip
_SPELLED = {"kilo": "k", "mega": "M", "giga": "G", "milli": "m", "micro": "µ", "nano": "n", "pico": "p", "centi": "c",
            "deci": "d", "": ""}  # fmt: skip
_PREFIXES_OF = {"M": "mµnp", "t": "kMG", "P": "cm", "l": "mµncd", "B": "kMGT", "G": "mµk", "pc": "kMG", "T": "mµn"}
"""Prefixes that a unit takes, where not all are in use: a decibel is no tenth of a byte."""

_LOOKS = (
    (re.compile(r"\^\s*\{\s*([+-]?\d+)\s*\}"), r"^\1"),
    (re.compile(r"\\(?:text|mathrm|operatorname|textrm|mbox|rm)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:[ ,;:!>]|quad(?![A-Za-z]))|~|[\u00a0\u2009\u202f]"), " "),
    (re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|°|\\degree(?![A-Za-z]))\s*([CF])(?![A-Za-z])|[℃]"), r" deg\1 "),
    (re.compile(r"(?<![A-Za-z])degrees? (C|F)(?:elsius|ahrenheit)?(?![A-Za-z])"), r" deg\1 "),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?|°|\\degree(?![A-Za-z])"), " deg "),
    (re.compile(r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|[·×⋅∙]"), "*"),
    (re.compile(r"\\mu(?![A-Za-z])\s*|μ"), "µ"),
    (re.compile(r"\\Omega(?![A-Za-z])\s*|Ω|\bohm\b"), "Ω"),
    (re.compile(r"\\AA(?![A-Za-z])|\\r(?:ing)?\{?A\}?|Å|\\mathring\{A\}"), "Å"),
    (re.compile(r"[{}]"), ""),
)
_SUPERSCRIPT = re.compile(r"[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_PLAIN_DIGITS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "+-0123456789-")
_TOKEN = re.compile(r"\s*(?:([A-Za-zµΩÅ]+)\s*(?:(?:\^|\*\*)\s*\(?([+-]?\d{1,2})\)?|([+-]?\d)(?![\d.]))?|([*/()]))")


def read_unit(written: str) -> Unit | None:
    """The unit of a text, read whole; None for anything that is not one: `m;`, `apples`, `J/mol K`, `l` of a letter."""
    text = _SUPERSCRIPT.sub(lambda result: "^" + result[0].translate(_PLAIN_DIGITS), written).replace("−", "-")
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return _parse(text.strip())


def _parse(text: str) -> Unit | None:  # noqa: C901 - one branch for each sign
    """Products, and one slash before one unit or one bracket."""
    if not text or len(text) > 80:
        return None
    at, power, depth, below, count = 0, 1, 0, 0, 0
    units: list[tuple[Unit, int]] = []
    joined = True
    while at < len(text):
        result = _TOKEN.match(text, at)
        if result is None or result.end() == at:
            return None
        at = result.end()
        if sign := result[4]:
            if sign == "/":
                if below or depth or not units:
                    return None
                below, power, joined = 1, -1, True
            elif sign == "(":
                if below != 1 or depth or count:
                    return None
                depth = 1
            elif sign == ")":
                if not depth:
                    return None
                depth, below = 0, 3
            elif joined:
                return None
            else:
                joined = True
            continue
        if below == 3 or (below == 1 and count and not depth):
            return None  # J/mol K: by both, or by one?
        unit = _named(result[1])
        if unit is None:
            return None
        exponent = int(result[2] or result[3] or 1)
        if result[1] in {"ms", "mm"} and exponent < 0 and not units:
            return None  # a metre per second, or one per millisecond?
        if (
            not -12 <= exponent <= 12
            or exponent == 0
            or (result[3] and not result[3].startswith(("-", "+")) and count > 9)
        ):
            return None
        units.append((unit, power * exponent))
        count += below == 1
        joined = False
    if depth or joined:
        return None
    return _combined(units)


def _combined(units: list[tuple[Unit, int]]) -> Unit | None:
    if len(units) == 1 and units[0][1] == 1:
        return units[0][0]
    if any(unit.offset or unit.kind == "never" for unit, _ in units):
        return None
    factor, dimension = Fraction(1), [0] * len(BASE)
    kinds: list[str] = []
    for unit, power in units:
        factor *= unit.factor**power
        dimension = [one + power * other for one, other in zip(dimension, unit.dimension, strict=True)]
        if unit.kind in {"sr", "turn", "Bq", "Gy", "Sv", "lm", "lx", "cd"}:
            kinds.append(f"{unit.kind}^{power}")
    kind = " ".join(sorted(kinds))
    names = [unit for unit, _ in units]
    if not kind and tuple(dimension) == _ENERGY and _PREFIXED["N"] in [_plain(unit) for unit in names]:
        kind = "N m"
    if not kind and tuple(dimension) == _dim(kg=1, m=2, s=-3):
        kind = "VA" if any(unit.dimension == _PREFIXED["V"].dimension for unit in names) else "W"
    return Unit(factor, tuple(dimension), kind, natural=any(unit.natural for unit in names))


def _plain(unit: Unit) -> Unit:
    return Unit(Fraction(1), unit.dimension)


def _named(name: str) -> Unit | None:
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _PREFIXED:
        return _PREFIXED[name]
    for length in (1, 2):
        prefix, rest = name[:length], name[length:]
        if prefix in _PREFIXES and rest in _PREFIXED and prefix in _PREFIXES_OF.get(rest, _PREFIXES):
            result = _PREFIXED[rest]
            return Unit(
                result.factor * Fraction(10) ** _PREFIXES[prefix], result.dimension, result.kind, natural=result.natural
            )
    lower = name if name in _WORDS else name.removesuffix("s")
    for spelled, prefix in _SPELLED.items():
        word = lower.removeprefix(spelled)
        if lower.startswith(spelled) and word in _WORDS:
            return _named(prefix + _WORDS[word]) if prefix else _named(_WORDS[word])
    return None


def convertible(one: Unit, other: Unit) -> bool | None:
    """Whether a value in one unit has a value in the other; None where that is open: energy or torque, rad or none."""
    if one.dimension != other.dimension:
        return None if one.natural or other.natural else False
    if one.kind == other.kind or {one.kind, other.kind} <= {"scale", "K"}:
        return True
    kinds = {one.kind, other.kind}
    if kinds == {"J", "N m"} or kinds <= {"", "J", "N m"} or kinds <= {"", "W", "VA"}:
        return True if kinds <= {"", "J"} or kinds <= {"", "W"} else None
    if "" in kinds:
        return None
    return False
