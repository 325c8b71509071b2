"""Does an answer agree with the key? Rules in order, cheapest first; the first that speaks decides, or leaves it open.

A wrong "yes" puts a bad row into the dataset and a wrong "no" throws a good one out, so each rule speaks only about
what it is sure to read. What none can tell is `unsure`, and goes to a judge where there is one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.answers.expression import Symbolic, two_units
from shared.answers.guard import objection
from shared.answers.lists import Lists
from shared.answers.normal import math_form, other_names, signs, text_form
from shared.answers.number import compare_numbers, read_number
from shared.answers.symbolic import SymbolicWorker
from shared.ports import Comparison

Rule = Callable[[str, str, str], Awaitable[Comparison | None]]
"""(key, answer, answer type) → what it found, or None when it is not about these."""

Judging = Callable[[str, str, str], Awaitable[Comparison]]
"""(question, key, answer) → what a judge says."""

TEXT = ("text", "choice", "yes_no")
_OPPOSITE = ({"yes", "no"}, {"true", "false"})
_SENSE = frozenset().union(*_OPPOSITE)


@dataclass(frozen=True, slots=True)
class Graders:
    """A `shared.ports.Grader` made of rules and perhaps a judge."""

    rules: Sequence[Rule]
    judge: Judging | None = None

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        if why := objection(key, question) or objection(answer, question):
            return Comparison("unsure", "guard", why)
        found = await self._by_rule(key, answer, answer_type)
        if found.agrees != "unsure" or self.judge is None or not question:
            return found
        return await self.judge(question, key, answer)

    async def _by_rule(self, key: str, answer: str, answer_type: str) -> Comparison:
        for rule in self.rules:
            if found := await rule(key, answer, answer_type):
                return found
        return Comparison("unsure", "none", "no rule can compare these")


async def same_form(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Equal but for the look."""
    return Comparison("yes", "normal_form") if math_form(key) == math_form(answer) else None


async def numeric(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Both are plain numbers in one unit: decided here, either way."""
    return _numeric(key, answer)


def _numeric(key: str, answer: str) -> Comparison | None:
    left, right = read_number(key), read_number(answer)
    if left is None or right is None or two_units(key, answer):
        return None
    if other_names(key, answer):
        return Comparison("unsure", "numeric", "they give values of different names")
    agrees = compare_numbers(left, right)
    return Comparison(agrees, "numeric", "rounding or unit differs" if agrees == "unsure" else "")


async def words(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Equal words agree. Different words may mean the same, except where there are but two answers."""
    left, right = text_form(key), text_form(answer)
    if left in _SENSE and right in _SENSE:
        return _one_of_two(left, right)
    if answer_type not in TEXT:
        return None
    if left != right:
        return Comparison("unsure", "text", "different words may mean the same")
    if signs(key) != signs(answer) or _capitals_matter(key, answer):
        return Comparison("unsure", "text", "a sign or a capital differs")
    return Comparison("yes", "text")


def _one_of_two(left: str, right: str) -> Comparison:
    """Yes is yes and false is not true; that true means yes is for the question to say."""
    if left == right:
        return Comparison("yes", "text")
    if {left, right} in _OPPOSITE:
        return Comparison("no", "text")
    return Comparison("unsure", "text", "yes or true: the same only to some questions")


def _capitals_matter(key: str, answer: str) -> bool:
    """Whether they differ in capitals, and are a formula, a symbol or an abbreviation: Co is not CO."""
    left, right = (math_form(side) for side in (key, answer))
    short = len(text_form(key)) < 4 or any(char.isdigit() for char in key)
    return short and left != right and left.casefold() == right.casefold()


def _element(key: str, answer: str) -> Comparison | None:
    return Comparison("yes", "normal_form") if math_form(key) == math_form(answer) else _numeric(key, answer)


def standard(worker: SymbolicWorker, judge: Judging | None = None) -> Graders:
    """The graders every service uses."""
    symbolic = Symbolic(worker)
    return Graders((same_form, numeric, words, Lists(_element, symbolic), symbolic), judge)
