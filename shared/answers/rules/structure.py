"""What two trees say without any calculation: equal up to the order of what has none, or one small change apart.

Products keep their order here: letters may be matrices, words or permutations.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from schemas.item import Agreement
from shared.answers.reading.tokens import GREEK
from shared.answers.reading.tree import Node, num, rebuild, symbols, walk

_UNORDERED = {"add", "union", "inter", "and", "or", "xor", "iff"}
_SYMMETRIC = {"gcd", "lcm", "max", "min"}
_TURNED = {">": "<", ">=": "<=", "gets": "to"}
_ALIASES = ("CcKkAB", "kmnjl", "hcGgkReqmεμ")
"""Letters that may stand for one another: constants of integration, counters, constants of nature."""
_OPPOSED = (
    {"and", "or"}, {"or", "xor"}, {"and", "xor"}, {"implies", "iff"}, {"forall", "exists"}, {"union", "inter"},
    {"union", "minus"}, {"inter", "minus"}, {"dot", "cross"}, {"floor", "ceil"},
)  # fmt: skip
_OPPOSED_SIGNS = (
    {"in", "notin"}, {"=", "!="}, {"<", "<="}, {">", ">="}, {"to", "gets"}, {"subset", "subseteq"}, {"<", ">"},
    {"<=", ">="}, {"=", "<"}, {"=", ">"}, {"=", "<="}, {"=", ">="},
)  # fmt: skip
_STRONG_MARKS = {"'", "''", "+", "-"}
_DIRECTED = {"implies", "minus", "index"}


def canonical(node: Node) -> Node:  # noqa: C901 - one branch for each kind
    """The tree with flat sums and products, numbers in front, unordered operands sorted. Changes no value."""
    node = rebuild(node, canonical)
    if node.op == "num":
        return num(node.args[0])
    if node.op in {"neg", "mul", "div"}:
        return _product(node)
    if node.op == "add":
        return _sum(node)
    if node.op == "pow" and node.args[1] == num(1):
        base: Node = node.args[0]
        return base
    if node.op == "root" and node.args[0] == num(1):
        radicand: Node = node.args[1]
        return radicand
    if node.op in _UNORDERED:
        flat = [part for arg in node.args for part in (arg.args if arg.op == node.op else (arg,))]
        return Node(node.op, tuple(_sorted(flat)))
    if node.op == "set":
        return Node("set", tuple(_sorted(set(node.args))))
    if node.op == "call" and node.args[0] in _SYMMETRIC:
        return Node("call", (node.args[0], *_sorted(node.args[1:])))
    if node.op == "rel":
        return _relation(node)
    if node.op == "dot" and all(map(_is_vector, node.args)):
        return Node("dot", tuple(_sorted(node.args)))
    return node


def _is_vector(node: Node) -> bool:
    """Whether a letter is written as a vector."""
    return node.op == "sym" and node.args[0].startswith(("bold:", "vec:"))


def _sorted(nodes: Any) -> list[Node]:
    return sorted(nodes, key=repr)


def _product(node: Node) -> Node:
    coefficient = Fraction(1)
    factors: list[Node] = []
    if node.op == "neg":
        parts: tuple[Node, ...] = (num(-1), node.args[0])
    elif node.op == "div":
        above, below = node.args
        if below.op == "num" and below.args[0]:
            parts = (num(1 / below.args[0]), above)
        else:
            scale, rest = _coefficient(below)
            if scale == 0 or rest is None:
                return node
            top, numerator = _coefficient(above)
            one = Node("div", (numerator or num(1), rest))
            return one if top == scale else Node("mul", (num(top / scale), one))
    else:
        parts = node.args
    for part in parts:
        scale, rest = _coefficient(part)
        coefficient *= scale
        if rest is not None:
            factors += rest.args if rest.op == "mul" else (rest,)
    if coefficient == 0 or not factors:
        return num(coefficient)
    if coefficient == 1:
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))
    return Node("mul", (num(coefficient), *factors))


def _coefficient(node: Node) -> tuple[Fraction, Node | None]:
    if node.op == "num":
        return node.args[0], None
    if node.op == "mul" and node.args[0].op == "num":
        rest = node.args[1:]
        return node.args[0].args[0], rest[0] if len(rest) == 1 else Node("mul", rest)
    return Fraction(1), node


def _sum(node: Node) -> Node:
    flat = [part for arg in node.args for part in (arg.args if arg.op == "add" else (arg,))]
    constant = sum((part.args[0] for part in flat if part.op == "num"), Fraction(0))
    terms = _sorted(part for part in flat if part.op != "num")
    if constant or not terms:
        terms = [num(constant), *terms]
    return terms[0] if len(terms) == 1 else Node("add", tuple(terms))


def _relation(node: Node) -> Node:
    marks, operands = node.args[0], node.args[1:]
    if len(marks) == len(operands) - 1 and all(mark in _TURNED for mark in marks):
        return Node("rel", (tuple(_TURNED[mark] for mark in reversed(marks)), *reversed(operands)))
    if marks and set(marks) <= {"=", "!="} and len(set(marks)) == 1 and len(operands) == len(marks) + 1:
        return Node("rel", (marks, *_sorted(operands)))
    return node


def one_change(left: Node, right: Node) -> bool:
    """Whether the trees differ in exactly one place, and that change always makes another answer."""
    if not _near(left, right):
        return False
    result = _only(left, right)
    return result is not None and _matters(*result, left, right)


def one_letter(left: Node, right: Node) -> bool:
    """Whether two lists or sets differ in one letter alone, and the letters are different names."""
    left, right = canonical(left), canonical(right)
    result = _only(left, right)
    return result is not None and result[0].op == result[1].op == "sym" and _matters(*result, left, right)


def _near(left: Node, right: Node) -> bool:
    return abs(sum(1 for _ in walk(left)) - sum(1 for _ in walk(right))) <= 1


def _only(left: Node, right: Node) -> tuple[Node, Node] | None:
    """The smallest pair of parts in which the trees differ, where everything around it is equal."""
    while True:
        if left.op != right.op or len(left.args) != len(right.args):
            return left, right
        apart = [at for at, (one, other) in enumerate(zip(left.args, right.args, strict=True)) if one != other]
        if len(apart) != 1:
            return (left, right) if apart else None
        one, other = left.args[apart[0]], right.args[apart[0]]
        if isinstance(one, Node) and isinstance(other, Node):
            left, right = one, other
        elif isinstance(one, tuple) and isinstance(other, tuple) and _nodes(one) and _nodes(other):
            left, right = Node("row", one), Node("row", other)
        else:
            return left, right


def _nodes(items: tuple[Any, ...]) -> bool:
    return bool(items) and all(isinstance(item, Node) for item in items)


def _matters(one: Node, other: Node, left: Node, right: Node) -> bool:
    if one.op == other.op:
        return _matters_within(one, other, left, right)
    if {one.op, other.op} in _OPPOSED and one.args == other.args:
        return one.op not in {"dot", "cross"} or one.args[0] != one.args[1]
    for outer, inner in ((one, other), (other, one)):
        if outer.op == "not" and outer.args[0] == inner:
            return True
        if outer.op == "mark" and outer.args[0] == inner and outer.args[1] in _STRONG_MARKS:
            return True
        if outer.op == "div" and inner.op == "app" and inner.args[1] == "⁻¹" and outer.args[0] == num(1):
            below = outer.args[1]
            return below.op == "app" and (below.args[0], *below.args[2:]) == (inner.args[0], *inner.args[2:])
    return False


def _matters_within(one: Node, other: Node, left: Node, right: Node) -> bool:  # noqa: C901 - one case for each operator
    op = one.op
    if op == "sym":
        return _other_letter(one, other, left, right)
    if op == "type":
        return True
    if op == "call":
        return {one.args[0], other.args[0]} in ({"max", "min"}, {"gcd", "lcm"}) and len(set(one.args[1:])) > 1
    if op == "mark":
        return bool(one.args[0] == other.args[0]) and {one.args[1], other.args[1]} <= _STRONG_MARKS
    if op == "app":
        return (one.args[0], *one.args[2:]) == (other.args[0], *other.args[2:])
    if op == "deriv":
        return bool(one.args[0] == other.args[0])
    if op == "growth":
        return bool(one.args[1] == other.args[1]) and "~O" not in {one.args[0], other.args[0]}
    if op == "adjoin":
        return (one.args[0], one.args[2]) == (other.args[0], other.args[2])
    if op == "cross" and all(map(_is_vector, one.args)):
        return one.args == other.args[::-1] and one.args[0] != one.args[1]
    if op in _DIRECTED:
        return one.args == other.args[::-1]
    if op == "num":
        return any(part.op in {"type", "adjoin"} for part in walk(left)) and one.args[0] != other.args[0]
    if op == "rel":
        return _other_relation(one, other)
    return False


def _other_relation(one: Node, other: Node) -> bool:
    marks, others = one.args[0], other.args[0]
    if one.args[1:] == other.args[1:] and len(marks) == len(others):
        apart = [pair for pair in zip(marks, others, strict=True) if pair[0] != pair[1]]
        return len(apart) == 1 and set(apart[0]) in _OPPOSED_SIGNS
    turned = bool(marks == others and one.args[1:] == other.args[:0:-1])
    return turned and bool(set(marks) <= {"mid", "to", "in", "subset", "subseteq", "<", "<="})


def _other_letter(one: Node, other: Node, left: Node, right: Node) -> bool:
    r"""`\gcd(a,b)` and `\gcd(a,c)`; not where one letter may be another name of the other, or the only one."""
    (name, index), (name_, index_) = one.args, other.args
    if name == name_:
        return bool(name != "D") and _other_index(index.split(" "), index_.split(" "))
    if index == index_ and _other_mark(name, name_):
        return True
    if len(name) == len(name_) == 1 and name != name_ and name.casefold() == name_.casefold():
        return bool(index == index_ == "")
    if index != index_ or any(name in group and name_ in group for group in _ALIASES):
        return False
    greek = [letter in GREEK.values() for letter in (name, name_)]
    if greek[0] != greek[1] or (len(name) == len(name_) == 1 and name.isupper() != name_.isupper()):
        return False
    return bool((symbols(left) & symbols(right)) - {one, other})


def _other_index(index: list[str], other: list[str]) -> bool:
    """Whether two indices differ in one digit, letter or sign. (`D_4` and `D_8` may be one dihedral group.)"""
    apart = [pair for pair in zip(index, other, strict=False) if pair[0] != pair[1]]
    if len(index) != len(other) or len(apart) != 1:
        return False
    one, two = apart[0]
    return len(one) == len(two) == 1 and one.isdigit() == two.isdigit() and one.isalpha() == two.isalpha()


def _other_mark(name: str, other: str) -> bool:
    r"""`\dot x`, `\ddot x` and `x`."""
    marks = [one.rpartition(":") for one in (name, other)]
    return marks[0][2] == marks[1][2] and {marks[0][0], marks[1][0]} <= {"", "dot", "ddot", "bar"}


def leaves(node: Node) -> Iterator[Node]:
    """What has no operands."""
    return (one for one in walk(node) if one.op in {"num", "sym", "const", "type"})


def agree_by_structure(left: Node, right: Node) -> Agreement:
    """Equal trees agree; one change that always matters makes them differ; the rest is open."""
    if canonical(left) == canonical(right):
        return "yes"
    return "no" if one_change(left, right) else "unsure"
