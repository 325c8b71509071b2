r"""Whether two answers are the same, for answers written by this simulator: as strings, or as rational numbers.

Deliberately small: what is equal only after algebra is "no" here, an empty answer "unsure"; real checking is the
factory's business.
"""

import re
from fractions import Fraction
from typing import Literal

Agreement = Literal["yes", "no", "unsure"]
_FRACTION = re.compile(r"^(-?)\\?frac\{(-?\d+)\}\{(\d+)\}$")


def plain(answer: str) -> str:
    r"""Strip what changes nothing: `$`, a box, spaces, `\left`, a full stop, case."""
    text = re.sub(r"\\(?:left|right|,|;|!|displaystyle)|[\s$]", "", answer).replace("dfrac", "frac")
    if match := re.fullmatch(r"\\boxed\{(.*)\}", text):
        text = match[1]
    return text.rstrip(".").casefold()


def number(answer: str) -> Fraction | None:
    """Read an integer, a decimal or a fraction, or None."""
    text = plain(answer)
    if match := _FRACTION.match(text):
        return Fraction(int(match[1] + "1") * int(match[2]), int(match[3]))
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def agrees(key: str, answer: str) -> Agreement:
    """Compare an answer with a key."""
    if not plain(answer):
        return "unsure"
    if plain(key) == plain(answer):
        return "yes"
    a, b = number(key), number(answer)
    return "yes" if a is not None and a == b else "no"
