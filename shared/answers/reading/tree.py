r"""The parse tree of an answer: one node type, immutable and hashable, so that equal readings are equal objects.

| `op` | `args` |
|---|---|
| `num` | value (`Fraction`), half a unit of the last digit (0: exact), significant figures (0: exact) |
| `sym` | name, index: `\mathbf{i}` is `bold:i` |
| `const` | `pi`, `e`, `inf` |
| `add mul neg div pow root fact dfact pm mp` | operands; `root` is degree, radicand |
| `dot cross` | products by `\cdot` and `\times` between letters |
| `call` | name of a known function, operands |
| `app` | name of an unknown function, its marks, operands |
| `mark` | base, mark: `x'`, `A^T`, `0^+` |
| `deriv` | `d` or `∂`, function, sorted variables |
| `abs norm floor ceil binom` | operands |
| `sum prod` | variable, first, last, body |
| `rel` | the signs, then one operand more |
| `list` | brackets, separators, items; `set` only items; `builder` item, condition; `bare` separators, items |
| `union inter minus` | sets |
| `matrix` | rows (tuples of nodes) |
| `not and or xor implies iff forall exists` | formulas |
| `growth` | `O`, `o`, `Θ`, `Ω`, `ω` or `~O`, argument |
| `cycles` | tuples of numbers |
| `seq` | items that only spaces part |
| `index` | group, subgroup |
| `adjoin` | base, bracket, items: `\mathbb{F}_p[x]` |
| `type` | a number set: `\mathbb{Z}` |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


def words(text: str) -> list[str]:
    """The words of a text: a table that reads as a sentence."""
    return text.split()


class Unread(ValueError):
    """A text that the grammar cannot read whole."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operator and its operands."""

    op: str
    args: tuple[Any, ...]


def num(value: Fraction | int, half_step: Fraction = Fraction(0), digits: int = 0) -> Node:
    """A number; exact unless `half_step` is given."""
    return Node("num", (Fraction(value), half_step, digits))


def sym(name: str, index: str = "") -> Node:
    return Node("sym", (name, index))


def children(node: Node) -> Iterator[Node]:
    """Operands that are nodes, those in tuples too."""
    for arg in node.args:
        if isinstance(arg, Node):
            yield arg
        elif isinstance(arg, tuple):
            yield from (item for item in arg if isinstance(item, Node))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(children(one))


def rebuild(node: Node, change: Any) -> Node:
    """The node with `change` applied to each operand that is a node."""

    def changed(arg: Any) -> Any:
        if isinstance(arg, Node):
            return change(arg)
        return tuple(changed(item) for item in arg) if isinstance(arg, tuple) else arg

    return Node(node.op, tuple(changed(arg) for arg in node.args))


def symbols(node: Node) -> frozenset[Node]:
    """Letters, also bound ones."""
    return frozenset(one for one in walk(node) if one.op == "sym")
