"""Functions that families share: wording, exact numbers as LaTeX, slips of arithmetic."""

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from random import Random

_VARIANTS = re.compile(r"⟨([^⟨⟩]*)⟩")


def phrase(rng: Random, text: str) -> str:
    """Pick one wording for each `⟨one|another⟩` of the text; variants may nest."""
    while "⟨" in text:
        text = _VARIANTS.sub(lambda match: rng.choice(match[1].split("|")), text)
    return re.sub(r" +([,.;])", r"\1", text)


def frac(value: Fraction | int) -> str:
    r"""Write a rational number: `7`, `\frac{3}{4}`, `-\frac{3}{4}`."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def sig(value: float, figures: int = 4) -> str:
    """Write a number in decimals with this number of significant figures: 0.01230, 12.30, 12300."""
    if value == 0:
        return "0"
    decimals = figures - 1 - math.floor(math.log10(abs(value)))
    decimals = figures - 1 - math.floor(math.log10(abs(round(value, decimals))))  # 9.9996 has become 10.00
    return f"{value:.{decimals}f}" if decimals > 0 else str(round(round(value, decimals)))


def sets(values: Iterable[object]) -> str:
    r"""Write a finite set, in the order given: `\{1, 4, 11\}`."""
    return "\\{" + ", ".join(map(str, values)) + "\\}"


def tuples(values: Iterable[object]) -> str:
    """Write a tuple: `(1, 2, 12)`."""
    return "(" + ", ".join(map(str, values)) + ")"


def near(value: int) -> list[str]:
    """Return slips of counting: one too many, twice the value, one too few."""
    return [str(value + 1), str(2 * value), str(value - 1)]


def words(*items: str) -> str:
    """Join words for a sentence: `a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
