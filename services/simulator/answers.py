r"""Comparison of two answers of this simulator, as strings or as rational numbers.

Deliberately small: answers that are equal only after algebra are "no", an empty answer is "unsure". The factory has its
own, complete comparison.
"""

import re
from fractions import Fraction
from typing import Literal

Agreement = Literal["yes", "no", "unsure"]
_FRACTION = re.compile(r"^(-?)\\?frac\{(-?\d+)\}\{(\d+)\}$")


def normalise(answer: str) -> str:
    r"""Remove `$`, a box, spaces, `\left` and a final full stop, and ignore case."""
    text = re.sub(r"\\(?:left|right|,|;|!|displaystyle)|[\s$]", "", answer).replace("dfrac", "frac")
    if match := re.fullmatch(r"\\boxed\{(.*)\}", text):
        text = match[1]
    return text.rstrip(".").casefold()


def parse_number(answer: str) -> Fraction | None:
    """Parse an integer, a decimal or a fraction; `None` for anything else."""
    text = normalise(answer)
    if match := _FRACTION.match(text):
        return Fraction(int(match[1] + "1") * int(match[2]), int(match[3]))
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def compare(key: str, answer: str) -> Agreement:
    """Compare an answer with a key."""
    if not normalise(answer):
        return "unsure"
    if normalise(key) == normalise(answer):
        return "yes"
    a, b = parse_number(key), parse_number(answer)
    return "yes" if a is not None and a == b else "no"
