"""Do the letters of these expressions commute? Letters of numbers do; matrices, words and permutations do not.

Nothing in a text says so for sure. An equality that rests on the order of letters needs a sign that they are numbers: a
function, a letter below a fraction bar, π, a number added. Signs that they are not overrule it.
"""

from collections.abc import Iterator

from shared.answers.reading.tree import Node, num, symbols, walk
from shared.answers.rules.structure import canonical

_NUMERIC = {"root", "fact", "dfact", "binom", "abs", "floor", "ceil", "call", "sum", "prod"}
_MATRIX_MARKS = {"T", "†", "*"}
_GENERATORS = frozenset("ijk")


def order_matters(key: Node, answer: Node) -> bool:
    """Whether the order of factors may count."""
    sides = (key, answer)
    if not any(_several(product) for side in sides for product in _products(side)):
        return False
    strong = any(_strong(side) for side in sides)
    if any(_against(side) for side in sides):
        return True
    capitals = any(name.args[0][:1].isupper() and len(name.args[0]) == 1 for name in _in_products(sides))
    if capitals:
        return not strong
    return not (strong or any(_weak(side) for side in sides))


def commutator(key: Node, answer: Node) -> bool:
    """Whether one is a product or difference that only says that letters do not commute, and the other is 0 or 1."""
    for one, other in ((key, answer), (answer, key)):
        trivial = canonical(other)
        if trivial.op == "num" and trivial.args[0] in (0, 1) and _repeats(one):
            return True
        if one.op == "mul" and _comes_back(one) and _inverts(one) and not _repeats(other):
            return True
    return False


def braids(key: Node, answer: Node) -> bool:
    """Words in the same letters, where letters come back: `aba` and `bab` are equal in some groups."""
    words = all(side.op == "mul" and _comes_back(side) and not _inverts(side) for side in (key, answer))
    return words and symbols(key) == symbols(answer) and canonical(key) != canonical(answer)


def _products(node: Node) -> Iterator[Node]:
    return (one for one in walk(node) if one.op in {"mul", "dot", "cross", "div"} or _power_of_several(one))


def _power_of_several(node: Node) -> bool:
    """`(ab)^n`, `e^{A+B}`."""
    return node.op == "pow" and (len(_outer(node.args[0])) > 1 or len(symbols(node.args[1])) > 1)


def _several(node: Node) -> bool:
    return len(symbols(node)) > 1


def _outer(node: Node) -> frozenset[Node]:
    return symbols(node)


def _in_products(sides: tuple[Node, ...]) -> frozenset[Node]:
    return frozenset(name for side in sides for product in _products(side) for name in symbols(product))


def _strong(node: Node) -> bool:
    """A sign that letters are numbers, capitals too."""
    for one in walk(node):
        if one.op in _NUMERIC or one == Node("const", ("pi",)):
            return True
        if one.op == "div" and symbols(one.args[1]):
            return True
    return False


def _weak(node: Node) -> bool:
    """A sign that small letters are numbers: a power of e, a number added, a fraction as a coefficient."""
    for one in walk(node):
        if one.op == "pow" and one.args[0].op in {"const", "num"} and symbols(one.args[1]):
            return True
        if one.op == "add" and (len(one.args) > 2 or any(part.op == "num" for part in one.args)):
            return True
        if one.op == "add" and any(_coefficient(part) for part in one.args):
            return True
        if one.op == "num" and one.args[0].denominator > 1:
            return True
        if one.op == "div" and one.args[1].op == "num":
            return True
        if one.op == "pow" and one.args[0].op == "add":
            return True
    return False


def _coefficient(node: Node) -> bool:
    return node.op == "mul" and node.args[0].op == "num"


def _against(node: Node) -> bool:
    """A sign that letters are no numbers: `xy-yx`, `(ab)^{-1}`, `A^T`, a hat, a bold letter, σ with an index."""
    letters = symbols(node)
    if any(":" in name.args[0] for name in letters):
        return True
    if any(name.args[0] in {"sigma", "gamma"} and name.args[1] for name in letters):
        return True
    if letters and len(letters) > 1 and all(name.args[0] in _GENERATORS and not name.args[1] for name in letters):
        return True
    for one in walk(node):
        if one.op == "mark" and one.args[1] in _MATRIX_MARKS:
            return True
        if one.op == "cross" and one.args[0] != one.args[1]:
            return True
        if one.op == "dot" and len(symbols(one)) > 1:
            return True
        if one.op == "pow" and one.args[1] == Node("sym", ("T", "")) and one.args[0].op != "const":
            return True
        if one.op == "pow" and one.args[0].op == "mul" and len(symbols(one.args[0])) > 1:
            return True
    return _repeats(node)


def _repeats(node: Node) -> bool:
    """`aba^{-1}`, `xy-yx`: a letter comes back after another, or two products of one sum differ in order alone."""
    for one in walk(node):
        if one.op == "mul" and _comes_back(one):
            return True
        if one.op == "add":
            orders = [_order(part) for part in one.args]
            for at, first in enumerate(orders):
                for second in orders[at + 1 :]:
                    if len(first) > 1 and first != second and sorted(first, key=repr) == sorted(second, key=repr):
                        return True
    return False


def _order(node: Node) -> tuple[Node, ...]:
    """Factors that are letters or powers of letters, in order; signs and numbers left out."""
    if node.op == "neg":
        return _order(node.args[0])
    if node.op in {"mul", "dot", "cross"}:
        return tuple(factor for arg in node.args for factor in _order(arg))
    if node.op == "num":
        return ()
    return (node,)


def _inverts(node: Node) -> bool:
    """Whether a letter is inverted: a conjugate that could be simplified would be."""
    return any(factor.op == "pow" and canonical(factor.args[1]) == num(-1) for factor in _order(node))


def _comes_back(node: Node) -> bool:
    seen: list[Node] = []
    for factor in _order(node):
        base = factor.args[0] if factor.op == "pow" else factor
        if base.op != "sym":
            continue
        if base in seen and seen[-1] != base:
            return True
        seen.append(base)
    return False
