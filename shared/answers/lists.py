"""Sets, tuples, intervals and matrices, element by element: one that differs decides, one unknown leaves it open.

Elements that the rules for numbers cannot tell go to the worker all at once, so that a list has one time limit too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schemas.item import Agreement
from shared.answers.expression import Pair, Symbolic
from shared.answers.normal import math_form
from shared.answers.shape import Shape, Tree, read_shape
from shared.ports import Comparison

METHOD = "elements"
MOST = 200
"""Pairs of elements that are worth the worker's time."""
BARE = ("set", "tuple", "interval")
"""Types of which a list without brackets can only be one."""

Leaf = Callable[[str, str], Agreement]
Elementary = Callable[[str, str], Comparison | None]


@dataclass(frozen=True, slots=True)
class Lists:
    """A rule for whatever has elements. `elementary` compares two elements without the worker."""

    elementary: Elementary
    symbolic: Symbolic

    async def __call__(self, key: str, answer: str, answer_type: str) -> Comparison | None:
        bare = answer_type in BARE
        left, right = read_shape(key, bare), read_shape(answer, bare)
        if isinstance(left, str) and isinstance(right, str):
            return None
        if isinstance(left, str) or isinstance(right, str):
            return Comparison("unsure", METHOD, "only one of them is a list")
        asked: dict[Pair, None] = {}

        def cheap(one: str, other: str) -> Agreement:
            if found := self.elementary(one, other):
                return found.agrees
            asked[one, other] = None
            return "unsure"

        agrees = _agree(left, right, cheap, answer_type)
        if agrees != "unsure" or not asked or len(asked) > MOST:
            return Comparison(agrees, METHOD, _why(agrees))
        found = {pair: one.agrees for pair, one in zip(asked, await self.symbolic.compare(list(asked)), strict=True)}
        agrees = _agree(left, right, lambda *pair: found.get(pair) or cheap(*pair), answer_type)
        return Comparison(agrees, METHOD, _why(agrees))


def _why(agrees: Agreement) -> str:
    return "kinds of brackets or some elements cannot be told apart" if agrees == "unsure" else ""


def _agree(key: Tree, answer: Tree, leaf: Leaf, answer_type: str) -> Agreement:
    if isinstance(key, str) or isinstance(answer, str):
        return leaf(key, answer) if isinstance(key, str) and isinstance(answer, str) else "unsure"
    kinds = {key.kind, answer.kind} - {"bare"}
    if "set" in kinds or (not kinds and answer_type == "set"):
        return _sets(key.parts, answer.parts, leaf, answer_type) if kinds <= {"set"} else "unsure"
    if len(kinds) > 1:
        return "unsure"
    if "union" in kinds:
        return _sets(key.parts, answer.parts, leaf, "interval") if len(key.parts) == len(answer.parts) else "unsure"
    ends = _ends(key, answer, answer_type)
    if len(key.parts) != len(answer.parts):
        return "no" if ends == "yes" and kinds == {"list"} else "unsure"
    each = [_agree(one, other, leaf, "") for one, other in zip(key.parts, answer.parts, strict=True)]
    return _all(each) if ends == "yes" else ends if ends == "no" or "no" not in each else "no"


def _ends(key: Shape, answer: Shape, answer_type: str) -> Agreement:
    """Whether the brackets agree: open or closed matters to an interval, and its infinite ends are always open."""
    left, right = (_open_at_infinity(side) if len(side.parts) == 2 else side.brackets for side in (key, answer))
    if left == right or "bare" in {key.kind, answer.kind}:
        return "yes"
    mixed = {"[)", "(]"} & {key.brackets, answer.brackets}
    return "no" if answer_type == "interval" or mixed else "unsure"


def _open_at_infinity(side: Shape) -> str:
    low, high = (isinstance(part, str) and math_form(part).endswith(("\\infty", "∞")) for part in side.parts)
    if not side.brackets or not (low or high):
        return side.brackets
    return ("(" if low else side.brackets[0]) + (")" if high else side.brackets[1])


def _sets(key: Iterable[Tree], answer: Iterable[Tree], leaf: Leaf, answer_type: str) -> Agreement:
    """Whatever the order, and however often an element is named."""
    rows = [[_agree(one, other, leaf, answer_type) for other in answer] for one in key]
    columns = [[row[at] for row in rows] for at, _ in enumerate(answer)]
    return _all([_any(found) for found in (*rows, *columns)])


def _all(found: list[Agreement]) -> Agreement:
    return "no" if "no" in found else "unsure" if "unsure" in found else "yes"


def _any(found: Iterable[Agreement]) -> Agreement:
    found = set(found)
    return "yes" if "yes" in found else "unsure" if "unsure" in found else "no"
