r"""Wrong keys, as from a small slip in a correct derivation.

Each function takes an answer and returns another one, or None for a kind of answer that it does not change. The grader
decides whether the new answer really differs.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from random import Random

from schemas.item import Problem
from shared.answers.grade import TEXT
from shared.answers.number import read_number
from shared.answers.shape import Shape, read_shape

Slip = Callable[[str, Random], str | None]

FIGURE = 4
"""The significant figure that is changed in a rounded number."""
_FRACTION = re.compile(r"(-?)(\\[dt]?frac\s*\{)(\d+)(\}.*)", re.DOTALL)
_LEADING = re.compile(r"(-?)(\d+)(\.\d+)?(?![\d,.^!_{])(.*)", re.DOTALL)
_INNER = re.compile(r"(?<=[\w})\]])\s*([+-])\s*(?=[\w\\({])")
_MEASURE = re.compile(r"(?<![A-Za-zµ\\])([kcmnMGµ]?)(m|g|s|J|Pa|V|A|W|Hz|eV|mol|L|N)(?![A-Za-z])")
_SMALLER = {"": "m", "k": "", "m": "", "c": "m", "n": "p", "µ": "n", "M": "k", "G": "M"}
_TURNED = {"[": "(", "(": "[", "]": ")", ")": "]"}


def sign(answer: str, rng: Random) -> str | None:
    """−5 for 5."""
    if not _single(answer):
        return None
    if _is_sum(answer):
        return f"-({answer})"
    return answer[1:] if answer.startswith("-") else f"-{answer}"


def factor_two(answer: str, rng: Random) -> str | None:
    """Twice as much."""
    if not _single(answer):
        return None
    if _is_sum(answer):
        return f"2({answer})"
    if match := _FRACTION.fullmatch(answer):
        return f"{match[1]}{match[2]}{2 * int(match[3])}{match[4]}"
    if match := _LEADING.fullmatch(answer):
        return f"{match[1]}{_twice(match[2] + (match[3] or ''))}{match[4]}"
    minus, size = ("-", answer[1:]) if answer.startswith("-") else ("", answer)
    times = r" \cdot " if size[:1].isdigit() else ""
    return f"{minus}2{times}{size}"


def fourth_figure(answer: str, rng: Random) -> str | None:
    """Change the fourth significant figure, or the last; not of integers with fewer figures."""
    match = _LEADING.fullmatch(answer) if read_number(answer) else None
    if match is None or (match[3] is None and len(match[2]) < FIGURE):
        return None
    digits = match[2] + (match[3] or "")
    places = [at for at, char in enumerate(digits) if char.isdigit() and digits[: at + 1].strip("0.")][:FIGURE]
    if not places:
        return None
    at = places[-1]
    other = (int(digits[at]) + rng.randint(1, 9)) % 10
    return f"{match[1]}{digits[:at]}{other}{digits[at + 1 :]}{match[4]}"


def inner_sign(answer: str, rng: Random) -> str | None:
    """Take the wrong branch: invert the first plus or minus between two terms."""
    if read_number(answer) or not (match := _INNER.search(answer)):
        return None
    at = match.start(1)
    return f"{answer[:at]}{'-' if match[1] == '+' else '+'}{answer[at + 1 :]}"


def unit(answer: str, rng: Random) -> str | None:
    """Replace the unit by the next one, as metres for kilometres."""
    number = read_number(answer)
    match = _MEASURE.search(answer) if number and number.unit else None
    if match is None:
        return None
    return f"{answer[: match.start()]}{_SMALLER[match[1]]}{match[2]}{answer[match.end() :]}"


def swapped(answer: str, rng: Random) -> str | None:
    """Swap two adjacent entries of a pair or tuple."""
    tree = read_shape(answer)
    if not isinstance(tree, Shape) or tree.brackets != "()":
        return None
    parts = [part for part in tree.parts if isinstance(part, str)]
    places = [at for at in range(len(parts) - 1) if parts[at] != parts[at + 1]]
    if len(parts) < len(tree.parts) or not places:
        return None
    at = rng.choice(places)
    parts[at], parts[at + 1] = parts[at + 1], parts[at]
    return f"({', '.join(parts)})"


def other_bound(answer: str, rng: Random) -> str | None:
    """Open a closed finite end of an interval, or the reverse."""
    tree = read_shape(answer)
    if not isinstance(tree, Shape) or tree.kind != "list" or len(tree.parts) != 2:
        return None
    low, high = tree.parts
    if not isinstance(low, str) or not isinstance(high, str):
        return None
    left, right = tree.brackets[0], tree.brackets[1]
    ends = [at for at, part in enumerate((low, high)) if "\\infty" not in part and "∞" not in part]
    if not ends:
        return None
    if rng.choice(ends) == 0:
        left = _TURNED[left]
    else:
        right = _TURNED[right]
    return f"{left}{low}, {high}{right}"


def _single(answer: str) -> bool:
    """Whether it is one value, not a list or an equation, and not zero."""
    number = read_number(answer)
    return isinstance(read_shape(answer, bare=True), str) and "=" not in answer and not (number and number.value == 0)


def _is_sum(answer: str) -> bool:
    return read_number(answer) is None and _INNER.search(answer) is not None


def _twice(number: str) -> str:
    return f"{2 * Decimal(number):f}" if "." in number else str(2 * int(number))


_KEYS: tuple[tuple[Slip, tuple[str, ...]], ...] = (
    (sign, ()),
    (factor_two, ()),
    (fourth_figure, ()),
    (inner_sign, ()),
    (unit, ()),
    (swapped, ("tuple",)),
    (other_bound, ("interval",)),
)
"""Each with the answer types that it changes; none means all except words."""


def _defect(slip: Slip, answer_types: tuple[str, ...]) -> Callable[[Problem, Random], Problem | None]:
    def broken(problem: Problem, rng: Random) -> Problem | None:
        if problem.answer_type in TEXT or (answer_types and problem.answer_type not in answer_types):
            return None
        bare = problem.answer.strip(" $")
        answer = slip(bare, rng)
        return problem.with_(answer=problem.answer.replace(bare, answer, 1)) if answer else None

    return broken


KEYS = {slip.__name__: _defect(slip, answer_types) for slip, answer_types in _KEYS}
"""By kind. The statement is unchanged."""
