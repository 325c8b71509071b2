"""The rules for two answers of a type, cheapest first. A rule that has not read both texts whole says nothing.

The same function decides in a service, where nobody knows algebra, and in the worker, where sympy does.
"""

import re
from dataclasses import dataclass

from shared.answers.guard import LETTER
from shared.answers.normal import bare, math_form, other_names, plain, text_form
from shared.answers.number import compare_numbers, read_number
from shared.answers.reading.formula import read_formula
from shared.answers.reading.tree import Node, Unread, symbols
from shared.answers.rules.chemistry import compare_chemistry
from shared.answers.rules.compare import NoAlgebra, Oracle, Trees, logic_agrees, permutations_agree
from shared.answers.rules.structure import agree_by_structure
from shared.answers.rules.text import compare_texts
from shared.answers.undetermined import is_undetermined
from shared.ports import Comparison

TEXT = ("text", "choice", "yes_no", "name", "term", "date", "code", "string")
"""Types of answer whose letters, digits and signs are taken as written."""
VERBATIM = ("code", "string")
QUANTITIES = ("number", "quantity", "")
_OPPOSITE = ({"yes", "no"}, {"true", "false"})
_SENSE = frozenset().union(*_OPPOSITE)
_CYCLES = re.compile(r"(?:\s*\((?:[1-9]{2,9}|\d+(?:\s+\d+)+)\))+")
_BARE_LETTER_UNIT = re.compile(r"[\d.]\s*[A-Za-z]\s*$")
_WORD = re.compile(r"[^\W\d_]{4}")
_DECIMAL_COMMA = re.compile(r"-?\d{1,3},\d{3}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules found, and whether algebra might find more."""

    result: Comparison
    needs_algebra: bool = False


def decide(key: str, answer: str, answer_type: str, oracle: Oracle | None = None) -> Decision:
    """Compare two answers. Never raises for what they hold."""
    if plain(key) == plain(answer):
        return Decision(Comparison("yes", "normal_form"))
    if answer_type not in TEXT and (result := numeric(key, answer, answer_type)):
        return Decision(result)
    if result := undetermined(key, answer) or one_of_two(key, answer):
        return Decision(result)
    if result := letters(key, answer, answer_type):
        return Decision(result)
    if answer_type in TEXT:
        result = _texts(key, answer, answer_type)
        grow = result.agrees == "unsure" and all(tree and tree.op == "growth" for tree in map(_read, (key, answer)))
        return _formulas(key, answer, answer_type, oracle) if grow else Decision(result)
    if math_form(key) == math_form(answer):
        return Decision(Comparison("yes", "normal_form"))
    if chemistry := compare_chemistry(key, answer):
        return Decision(
            Comparison(chemistry, "chemistry", "isomers or another way to write it" if chemistry == "unsure" else "")
        )
    return _formulas(key, answer, answer_type, oracle)


def undetermined(key: str, answer: str) -> Comparison | None:
    """Whether one says that there is no answer. "Cannot be determined" is an answer of its own."""
    kinds = [is_undetermined(side) for side in (key, answer)]
    if not any(kinds):
        return None
    return Comparison(
        "yes" if all(kinds) else "no", "undetermined", "says that the problem does not determine an answer"
    )


def one_of_two(key: str, answer: str) -> Comparison | None:
    """Yes is yes and false is not true; that true means yes is for the question to say."""
    left, right = text_form(key), text_form(answer)
    if left not in _SENSE or right not in _SENSE:
        return None
    if left == right:
        return Comparison("yes", "text")
    if {left, right} in _OPPOSITE:
        return Comparison("no", "text")
    return Comparison("unsure", "text", "yes or true: the same only to some questions")


def letters(key: str, answer: str, answer_type: str) -> Comparison | None:
    """`B` and `(B)`, where an option is expected."""
    names = [LETTER.fullmatch(plain(side)) for side in (key, answer)]
    if answer_type != "choice" or not names[0] or not names[1]:
        return None
    return Comparison("yes" if names[0][1].upper() == names[1][1].upper() else "no", "text")


def numeric(key: str, answer: str, answer_type: str = "") -> Comparison | None:
    """Both are plain numbers, perhaps with units."""
    left, right = read_number(key), read_number(answer)
    if left is None or right is None:
        return None
    if other_names(key, answer):
        return Comparison("unsure", "numeric", "they give values of different names")
    agrees = compare_numbers(left, right)
    if agrees == "no" and _decimal_comma(key, answer):
        return Comparison("unsure", "numeric", "a decimal comma, or thousands")
    units = left.unit != right.unit
    if units and answer_type not in QUANTITIES and any(map(_BARE_LETTER_UNIT.search, (plain(key), plain(answer)))):
        agrees = "no" if agrees == "no" and left.value != right.value else "unsure"
    method = "units" if units and left.measure and right.measure else "numeric"
    return Comparison(agrees, method, "rounding or unit differs" if agrees == "unsure" else "")


def _decimal_comma(key: str, answer: str) -> bool:
    for one, other in ((key, answer), (answer, key)):
        if _DECIMAL_COMMA.fullmatch(plain(one)):
            left, right = read_number(plain(one).replace(",", ".")), read_number(other)
            if left and right and "no" not in (compare_numbers(left, right), compare_numbers(right, left)):
                return True
    return False


def _texts(key: str, answer: str, answer_type: str) -> Comparison:
    if answer_type in VERBATIM:
        same = key.strip().strip("`") == answer.strip().strip("`")
        return Comparison("yes" if same else "unsure", "text", "" if same else "not the same characters")
    agrees, why = compare_texts(key, answer)
    if agrees == "unsure":
        chemistry = compare_chemistry(key, answer)
        if chemistry in ("yes", "no"):
            return Comparison(chemistry, "chemistry")
        if _formulas_differ(key, answer):
            return Comparison("no", "structure")
    return Comparison(agrees, "text", why)


def _formulas_differ(key: str, answer: str) -> bool:
    """Whether both are formulas, and different ones by their structure or their tables of truth."""
    left, right = (_read(side) for side in (key, answer))
    if left is None or right is None or not _has_operator(left) or not _has_operator(right):
        return False
    return "no" in (agree_by_structure(left, right), logic_agrees(left, right))


def _has_operator(tree: Node) -> bool:
    return tree.op not in {"sym", "num", "const", "mul"}


def _formulas(key: str, answer: str, answer_type: str, oracle: Oracle | None) -> Decision:
    if cycles := _cycles(key, answer, answer_type):
        return Decision(cycles)
    trees = []
    for side in (key, answer):
        try:
            trees.append(read_formula(bare(side)))
        except (Unread, RecursionError) as error:
            return Decision(_unread(key, answer, str(error) or "nested too deeply"))
    if answer_type in {"number", "quantity"} and any(map(_has_letters, trees)):
        return Decision(Comparison("unsure", "none", "a letter where a number is due"))
    no_algebra = NoAlgebra()
    agrees = Trees(oracle or no_algebra, answer_type).compare(trees[0], trees[1])
    kinds = {tree.op for tree in trees}
    method = "elements" if kinds & {"list", "set", "bare", "matrix", "union", "builder"} else (
        "symbolic" if oracle or no_algebra.was_called else "structure")  # fmt: skip
    why = "no rule can tell these apart or equate them" if agrees == "unsure" else ""
    return Decision(Comparison(agrees, method, why), no_algebra.was_called)


def _has_letters(tree: Node) -> bool:
    """Whether a number holds letters that are not its name, nor the imaginary unit: units that are not read."""
    value = tree.args[-1] if tree.op == "rel" and tree.args[0] == ("=",) else tree
    return bool({name.args for name in symbols(value)} - {("i", "")})


def _unread(key: str, answer: str, why: str) -> Comparison:
    """Words under another type: equal words agree, everything else is open."""
    if "\\" not in key + answer and all(_WORD.search(side) for side in (key, answer)):
        agrees, _ = compare_texts(key, answer)
        if agrees == "yes":
            return Comparison("yes", "text")
    return Comparison("unsure", "none", f"not read whole: {why}")


def _cycles(key: str, answer: str, answer_type: str) -> Comparison | None:
    """Products of cycles, parted by spaces or digit by digit: `(1 2 3)`, `(123)(45)`."""
    sides = [plain(side) for side in (key, answer)]
    if answer_type in {"number", "tuple", "quantity"} or not all(_CYCLES.fullmatch(side) for side in sides):
        return None
    products = [[_cycle(inner) for inner in re.findall(r"\(([^()]*)\)", side)] for side in sides]
    if any(len(set(cycle)) < len(cycle) for product in products for cycle in product):
        return None
    return Comparison(permutations_agree(*products), "permutation")


def _cycle(inner: str) -> tuple[int, ...]:
    points = inner.split()
    return tuple(map(int, points if len(points) > 1 else points[0]))


def _read(text: str) -> Node | None:
    try:
        return read_formula(bare(text))
    except (Unread, RecursionError):
        return None
