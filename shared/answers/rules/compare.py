"""Compares two trees by their kind: lists, sets, intervals, matrices, relations, families, growth, permutations.

What needs algebra goes to the oracle: in a service that is nobody (open), in the worker it is sympy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from schemas.item import Agreement
from shared.answers.number import Number, compare_numbers
from shared.answers.reading.tree import Node, num, rebuild, symbols, walk, words
from shared.answers.rules.structure import agree_by_structure, canonical, one_letter
from shared.answers.units import read_unit

LISTS = ("set", "tuple", "interval", "list", "multiset", "vector", "sequence")
"""Types of answer of which a list without brackets can be one."""
MOST = 60
"""Elements of a list that is compared."""
_LIMITS = {"<", "<=", ">", ">="}
_RUNNING = frozenset((name, "") for name in ("x", "z", "t", "n", "m", "p", "q", "theta", "alpha", "phi"))
"""Names of what runs through a family: `x = 3+7k`; `a_k = 3+7k` is one sequence."""
_SCALAR = frozenset(
    words(
    "num sym const add mul neg div pow root fact dfact dot cross call abs floor ceil binom sum prod app deriv "
    "mark pm mp"
)
)  # fmt: skip


class Oracle(Protocol):
    """Algebra. Each method may answer `unsure`."""

    def scalars(self, key: Node, answer: Node) -> Agreement:
        """Whether two expressions are equal."""
        ...

    def relations(self, key: Node, answer: Node) -> Agreement:
        """Whether two equations or inequalities say the same."""
        ...

    def growth(self, key: Node, answer: Node, exactly: bool) -> Agreement:
        """Whether two functions grow alike: up to a factor, or `exactly`, so that their ratio tends to one."""
        ...

    def families(self, key: Node, answer: Node, counters: frozenset[Node]) -> Agreement:
        """Whether two expressions run through the same values as their counters run through the integers."""
        ...


class NoAlgebra:
    """No algebra: everything is open; `asked` says whether there was a question for it."""

    def __init__(self) -> None:
        self.was_called = False

    def scalars(self, key: Node, answer: Node) -> Agreement:
        return self._open()

    def relations(self, key: Node, answer: Node) -> Agreement:
        return self._open()

    def growth(self, key: Node, answer: Node, exactly: bool) -> Agreement:
        return self._open()

    def families(self, key: Node, answer: Node, counters: frozenset[Node]) -> Agreement:
        return self._open()

    def _open(self) -> Agreement:
        self.was_called = True
        return "unsure"


def all_of(result: Sequence[Agreement]) -> Agreement:
    return "no" if "no" in result else "unsure" if "unsure" in result else "yes"


def any_of(result: Sequence[Agreement]) -> Agreement:
    return "yes" if "yes" in result else "unsure" if "unsure" in result else "no"


def both_readings(one: Agreement, other: Agreement) -> Agreement:
    """What two readings of the same texts have in common."""
    return one if one == other else "unsure"


@dataclass(frozen=True, slots=True)
class Trees:
    """Compares trees of answers of one type."""

    oracle: Oracle
    answer_type: str = ""

    def compare(self, key: Node, answer: Node) -> Agreement:
        return self._compare(key, answer, self.answer_type)

    def _compare(self, left: Node, right: Node, answer_type: str = "") -> Agreement:
        result = self._by_kind(left, right, answer_type)
        if result != "unsure":
            return result
        if _open_by_kind(left, right):
            return "no" if left.op == right.op in {"list", "set"} and one_letter(left, right) else "unsure"
        return agree_by_structure(left, right)

    def _by_kind(self, left: Node, right: Node, answer_type: str) -> Agreement:
        if _sum_written_out(left) and _sum_written_out(right) and answer_type != "number":
            return self._sums(left, right)
        if (left.op, right.op) == ("seq", "seq"):
            return self._row(left.args, right.args) if len(left.args) == len(right.args) else "no"
        if (left.op, right.op) == ("cycles", "cycles"):
            return permutations_agree(left.args, right.args)
        if "rel" in {left.op, right.op} or _records(left) or _records(right):
            return self._relations(left, right, answer_type)
        return self._values(left, right, answer_type)

    def _values(self, left: Node, right: Node, answer_type: str = "") -> Agreement:
        kinds = {left.op, right.op}
        if any(one.op == "growth" for side in (left, right) for one in walk(side)):
            return self._growth(left, right)
        if kinds == {"builder"}:
            return self._builders(left, right)
        if kinds & {"union"}:
            return self._unions(left, right)
        if kinds & {"pm", "bare"} and _one_of_several(left, right):
            return "no"
        if kinds & {"set", "list", "bare", "matrix"}:
            return self._elements(
                _as_matrix(left, right, answer_type), _as_matrix(right, left, answer_type), answer_type
            )
        if kinds == {"not"} or kinds & {"and", "or", "xor", "implies", "iff", "forall", "exists", "inter", "minus"}:
            return logic_agrees(left, right)
        if is_scalar(left) and is_scalar(right):
            return self._scalars(left, right)
        return "unsure"

    def _scalars(self, left: Node, right: Node) -> Agreement:
        if canonical(left) == canonical(right):
            return "yes"
        units = any(one.op == "mark" and one.args[1].startswith("unit:") for one in (left, right))
        numbers = [number_of(side, units) for side in (left, right)]
        if numbers[0] is not None and numbers[1] is not None:
            return compare_numbers(numbers[0], numbers[1])
        structure = agree_by_structure(left, right)
        return structure if structure != "unsure" else self.oracle.scalars(left, right)

    def _sums(self, left: Node, right: Node) -> Agreement:
        """`3+2+1` may be a partition and `1-2-3` a path: a sum that is written out is not worked out."""
        if left == right:
            return "yes"
        terms = [sorted(map(repr, side.args)) for side in (left, right)]
        letters = any(one.op == "sym" for one in walk(left))
        if min(len(left.args), len(right.args)) < 3 and canonical(left) == canonical(right):
            return "unsure"
        if terms[0] == terms[1]:
            return "unsure" if letters or not _paths(left, right) else "no"
        return "unsure" if letters else "no"

    # --- lists

    def _elements(self, left: Node, right: Node, answer_type: str) -> Agreement:
        kinds = {left.op, right.op}
        if sum(1 for side in (left, right) for _ in side.args) > 2 * MOST:
            return "unsure"
        if kinds == {"matrix"}:
            return self._matrices(left, right)
        if not kinds <= {"set", "list", "bare"}:
            return "unsure"
        if kinds == {"bare"}:
            return self._bare(left, right, answer_type)
        if "set" in kinds:
            unordered = kinds == {"set"} or (kinds == {"set", "bare"} and answer_type in {"set", "multiset"})
            if not unordered:
                return "unsure"
            return self._sets(_items(left), _items(right), answer_type == "multiset")
        if answer_type == "set" and "bare" in kinds:
            return "unsure"
        if "bare" in kinds and answer_type not in LISTS:
            return "unsure"
        return self._lists(left, right, answer_type)

    def _bare(self, left: Node, right: Node, answer_type: str) -> Agreement:
        one, other = _items(left), _items(right)
        as_set = self._sets(one, other, False)
        if answer_type == "multiset":
            return self._sets(one, other, True)
        if answer_type == "set" or "or" in {left.args[0], right.args[0]}:
            return as_set if {left.args[0], right.args[0]} != {"or", ";"} else "unsure"
        in_order = self._row(one, other) if len(one) == len(other) else "no"
        if answer_type in {"tuple", "list", "vector", "sequence", "interval"}:
            return in_order
        return in_order if in_order == as_set else "yes" if in_order == "yes" else "unsure"

    def _lists(self, left: Node, right: Node, answer_type: str) -> Agreement:
        one, other = _items(left), _items(right)
        ends = self._ends(left, right, answer_type)
        if ends == "yes" and "⟨⟩" not in (left.args[0], right.args[0]) and _permuted(one, other):
            return "no"
        if len(one) != len(other):
            return "no" if ends == "yes" and "bare" not in {left.op, right.op} else "unsure"
        if left.op == right.op == "list" and left.args[1] != right.args[1] and left.args[0] == "[]":
            return "unsure"  # [2;1,2] is a continued fraction
        each = self._row(one, other)
        ordered = answer_type in {"vector", "tuple"}
        if left.op == right.op == "list" and left.args[0] == "⟨⟩" and each != "yes" and not ordered:
            return both_readings(each, self._sets(one, other, False))
        if ends == "yes":
            return each
        return "no" if ends == "no" or each == "no" else "unsure"

    def _row(self, left: Sequence[Node], right: Sequence[Node]) -> Agreement:
        return all_of([self._compare(one, other) for one, other in zip(left, right, strict=True)])

    def _ends(self, left: Node, right: Node, answer_type: str) -> Agreement:
        """Whether the brackets agree: open or closed matters to an interval, and its infinite ends are always open."""
        if "bare" in {left.op, right.op}:
            return "yes"
        brackets = [_brackets(side) for side in (left, right)]
        if brackets[0] == brackets[1]:
            return "yes"
        if "⟨⟩" in brackets:
            return "unsure"
        return "no" if answer_type == "interval" or {"[)", "(]"} & set(brackets) else "unsure"

    def _sets(self, left: Sequence[Node], right: Sequence[Node], counted: bool) -> Agreement:
        """Whatever the order, and however often an element is named, unless they are counted."""
        if counted and len(left) != len(right):
            return "no"
        rows = [[self._compare(one, other) for other in right] for one in left]
        columns = [[row[at] for row in rows] for at in range(len(right))]
        result = all_of([any_of(each) for each in (*rows, *columns)])
        if counted and result == "yes":
            same = all(row.count("yes") == column.count("yes") for row, column in zip(rows, columns, strict=True))
            counts = sorted(row.count("yes") for row in rows) == sorted(column.count("yes") for column in columns)
            return "yes" if counts and same else "unsure"
        return result

    def _matrices(self, left: Node, right: Node) -> Agreement:
        if left.args[0] != right.args[0]:
            return "unsure"
        one, other = left.args[1:], right.args[1:]
        sizes = [(len(rows), len(rows[0])) for rows in (one, other)]
        if sizes[0] != sizes[1]:
            return "unsure" if sizes[0] == sizes[1][::-1] and 1 in sizes[0] else "no"
        return all_of([self._row(a, b) for a, b in zip(one, other, strict=True)])

    def _unions(self, left: Node, right: Node) -> Agreement:
        if not all(side.op in {"union", "list", "set"} for side in (left, right)):
            return logic_agrees(left, right)
        one, other = ([*side.args] if side.op == "union" else [side] for side in (left, right))
        if not all(part.op in {"list", "set"} for part in (*one, *other)):
            return logic_agrees(left, right)
        if len(one) != len(other):
            return "unsure"
        rows = [[self._elements(a, b, "interval") for b in other] for a in one]
        columns = [[row[at] for row in rows] for at in range(len(other))]
        result = all_of([any_of(each) for each in (*rows, *columns)])
        return "unsure" if result == "no" and _touch([*one], [*other]) else result

    # --- relations

    def _relations(self, left: Node, right: Node, answer_type: str) -> Agreement:
        one, other = _named(left), _named(right)
        if one and other:
            return self._two_named(one, other, left, right)
        for named, plain in ((one, right), (other, left)):
            if named and not any(part.op == "rel" for part in walk(plain)):
                if set(named.names) & symbols(plain):
                    return "unsure"
                pair = (named.value, plain) if plain is right else (plain, named.value)
                return self._values_or_family(*pair, answer_type, named)
        intervals = [_interval(side) for side in (left, right)]
        if intervals[0] and intervals[1] and "rel" in {left.op, right.op}:
            return self._intervals(left, right, *intervals)
        if left.op == right.op == "rel":
            return self._two_relations(left, right)
        rel, plain = (left, right) if left.op == "rel" else (right, left)
        return _relation_and_value(rel, plain)

    def _intervals(self, left: Node, right: Node, one: "Interval | None", other: "Interval | None") -> Agreement:
        if one is None or other is None:
            return "unsure"
        if one.name and other.name and one.name != other.name:
            return "unsure"
        result = self._unions(one.set, other.set) if "union" in {one.set.op, other.set.op} else self._elements(
            one.set, other.set, "interval")  # fmt: skip
        if result == "no" and one.relation and other.relation and _whole_numbers(one.set, other.set):
            return "unsure"  # n ≥ 5 and n > 4 say the same of whole numbers
        return result

    def _two_named(self, one: "Named", other: "Named", left: Node, right: Node) -> Agreement:
        if len(one.names) == len(other.names) > 1 and set(one.names) == set(other.names):
            return self._row([one.by_name[name] for name in one.names], [other.by_name[name] for name in one.names])
        if one.names != other.names:
            shared = symbols(left) & symbols(right)
            tied = left.op == right.op == "rel" and frozenset(one.names) | frozenset(other.names) <= shared
            return self.oracle.relations(left, right) if tied else "unsure"
        result = self._values_or_family(one.value, other.value, "", one)
        if result == "no" and one.names[0] in symbols(one.value) | symbols(other.value):
            return "unsure"
        return result

    def _values_or_family(self, left: Node, right: Node, answer_type: str, named: "Named") -> Agreement:
        counters = counters_of(left) | counters_of(right)
        name = named.names[0]
        result = self._compare(left, right, answer_type)
        if result != "yes" and counters and named.single and name.op == "sym" and name.args in _RUNNING:
            return self.oracle.families(left, right, counters)
        return result

    def _two_relations(self, left: Node, right: Node) -> Agreement:
        structure = agree_by_structure(left, right)
        if structure != "unsure":
            return structure
        marks, others = left.args[0], right.args[0]
        if set(marks) == set(others) == {"to"}:
            if len(marks) != len(others):
                return "no"
            return self._row(left.args[1:], right.args[1:])
        if marks[:1] == others[:1] == ("mod",):
            return residues_agree(left, right)
        if {marks[:1], others[:1]} & {("mod",)}:
            return "unsure"
        if set(marks) | set(others) <= _LIMITS | {"=", "!="}:
            return self.oracle.relations(left, right)
        return "unsure"

    # --- families, growth

    def _builders(self, left: Node, right: Node) -> Agreement:
        r"""`\{2k : k\in\mathbb{Z}\}`: the same up to the name of the counter, or the same residues."""
        counters = [_counter(side) for side in (left, right)]
        if counters[0] is None or counters[1] is None:
            return "unsure"
        renamed = replace_symbol(right, counters[1], counters[0])
        if canonical(left) == canonical(renamed):
            return "yes"
        if left.args[1:] == renamed.args[1:] and _over_integers(left):
            return self.oracle.families(left.args[0], renamed.args[0], frozenset({counters[0]}))
        return "unsure"

    def _growth(self, left: Node, right: Node) -> Agreement:
        if (left.op, right.op) == ("growth", "growth"):
            if left.args[0] != right.args[0]:
                return "unsure" if "~O" in {left.args[0], right.args[0]} else "no"
            if canonical(left) == canonical(right):
                return "yes"
            return self.oracle.growth(left.args[1], right.args[1], False)
        leading = [_leading(side) for side in (left, right)]
        if leading[0] and leading[1]:
            return self.oracle.growth(leading[0], leading[1], True)
        return "unsure"


@dataclass(frozen=True, slots=True)
class Named:
    """`x = 5`, `(a, b) = (1, 2)`, `a = 1, b = 2`, `n = 5, 6, 7`: names and what they name."""

    names: tuple[Node, ...]
    value: Node
    single: bool
    by_name: dict[Node, Node]


@dataclass(frozen=True, slots=True)
class Interval:
    """A set of reals, and the name of its element."""

    set: Node
    name: Node | None
    relation: bool


def _named(node: Node) -> Named | None:  # noqa: C901 - one branch for each form
    if node.op == "list" and node.args[0] == "()" and node.args[2] and all(_is_naming(item) for item in node.args[2]):
        items = {item.args[1]: item.args[2] for item in node.args[2]}
        if len(items) == len(node.args[2]) > 1:
            return Named(tuple(items), Node("list", ("()", node.args[1], tuple(items.values()))), False, items)
    if node.op == "rel" and node.args[0] == ("=",):
        name, value = node.args[1:]
        if name.op == "list" and value.op == "list" and all(one.op == "sym" for one in name.args[2]):
            if len(name.args[2]) == len(value.args[2]):
                return Named(name.args[2], value, False, dict(zip(name.args[2], value.args[2], strict=True)))
            return None
        if _is_naming(node) and name not in walk(value):
            return Named((name,), value, True, {name: value})
    if node.op == "bare" and _is_naming(node.args[1][0]):
        items = node.args[1]
        if all(map(_is_naming, items)):
            names = tuple(item.args[1] for item in items)
            values = tuple(item.args[2] for item in items)
            if len(set(names)) == 1:
                return Named(names[:1], Node("bare", ("or", values)), True, {})
            if len(set(names)) == len(names):
                return Named(names, Node("list", ("()", (",",) * (len(names) - 1), values)), False,
                             dict(zip(names, values, strict=True)))  # fmt: skip
        elif not any(item.op == "rel" for item in items[1:]):
            name, value = items[0].args[1:]
            return Named((name,), Node("bare", (node.args[0], (value, *items[1:]))), True, {})
    return None


def _is_naming(node: Node) -> bool:
    r"""`x = …`, `f(x) = …`, `\|v\| = …`: an equation whose left side is a name."""
    if node.op != "rel" or node.args[0] != ("=",):
        return False
    name = node.args[1]
    if name.op == "app":
        return all(item.op in {"sym", "num"} for item in name.args[3:])
    return name.op in {"sym", "norm"} or (name.op == "mark" and name.args[0].op == "sym" and name.args[1] in {"'", "*"})


def _leading(node: Node) -> Node | None:
    """`(1+o(1)) f`: the function f."""
    if node.op != "mul" or node.args[0] != Node("add", (num(1), Node("growth", ("o", num(1))))):
        return None
    return Node("mul", node.args[1:]) if len(node.args) > 2 else node.args[1]


def _records(node: Node) -> bool:
    return _named(node) is not None


def _one_of_several(left: Node, right: Node) -> bool:
    r"""`\pm 3` or `5 or 6` beside one number: more answers than one are not that one."""
    for several, single in ((left, right), (right, left)):
        if number_of(single) is None:
            continue
        if several.op == "pm" and len(several.args) == 1 and (inner := number_of(several.args[0])):
            return inner.value != 0
        if several.op == "bare" and several.args[0] == "or":
            values = [number_of(item) for item in several.args[1]]
            return all(values) and len({value.value for value in values if value}) == len(values)
    return False


def _permuted(left: Sequence[Node], right: Sequence[Node]) -> bool:
    """The same elements, each once, in another order."""
    one, other = ([canonical(item) for item in side] for side in (left, right))
    return one != other and len(set(one)) == len(one) and sorted(map(repr, one)) == sorted(map(repr, other))


def _items(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "set" else node.args[2] if node.op == "list" else node.args[1]


def _brackets(node: Node) -> str:
    brackets, items = node.args[0], node.args[2]
    if len(items) != 2 or brackets == "⟨⟩":
        return str(brackets)
    low, high = (any(one == Node("const", ("inf",)) for one in walk(item)) for item in items)
    return ("(" if low else brackets[0]) + (")" if high else brackets[1])


def _as_matrix(node: Node, other: Node, answer_type: str) -> Node:
    """A list of rows, where a matrix is expected or given."""
    if node.op != "list" or node.args[0] != "[]" or not node.args[2]:
        return node
    rows = node.args[2]
    if not all(row.op == "list" and row.args[0] == "[]" and row.args[2] for row in rows):
        return node
    if len({len(row.args[2]) for row in rows}) > 1 or (answer_type != "matrix" and other.op != "matrix"):
        return node
    return Node("matrix", ("", *(row.args[2] for row in rows)))


def _touch(one: list[Node], other: list[Node]) -> bool:
    """Whether parts of a union have an end in common: they may join."""
    for parts in (one, other):
        ends = [end for part in parts if part.op == "list" for end in map(canonical, part.args[2])]
        if len(set(ends)) < len(ends):
            return True
    return False


def is_scalar(node: Node) -> bool:
    """Whether a tree is one number or function, without sets, lists and words."""
    return all(one.op in _SCALAR for one in walk(node))


def number_of(node: Node, letters_are_units: bool = False) -> Number | None:
    """A plain number, its stated figures and its unit; None for the rest. `0.1 m` beside `10 cm` is no product."""
    if node.op == "num":
        value, half, digits = node.args
        return Number(value, half, digits)
    if node.op == "neg":
        inner = number_of(node.args[0])
        return inner and Number(-inner.value, inner.half_step, inner.digits, inner.unit, inner.measure)
    if node.op == "div":
        above, below = (number_of(arg) for arg in node.args)
        if (
            above
            and below
            and below.value
            and not above.digits
            and not below.digits
            and not above.unit
            and not below.unit
        ):
            return Number(above.value / below.value)
    if node.op == "mul" and len(node.args) == 2 and node.args[0].op == "num":
        power, unit = _power_of_ten(node.args[1]), node.args[1]
        if letters_are_units and unit.op == "sym" and (measure := read_unit(unit.args[0])):
            value, half, digits = node.args[0].args
            return Number(value, half, digits, unit.args[0], measure)
        if power is not None:
            value, half, digits = node.args[0].args
            return Number(value * power, half * power, digits)
    if node.op == "pow" and (power := _power_of_ten(node)) is not None:
        return Number(power)
    if node.op == "mark" and node.args[1].startswith("unit:"):
        inner, unit = number_of(node.args[0]), node.args[1].removeprefix("unit:")
        return inner and Number(inner.value, inner.half_step, inner.digits, unit, read_unit(unit))
    return None


def _power_of_ten(node: Node) -> Fraction | None:
    if node.op != "pow" or node.args[0] != num(10):
        return None
    exponent = canonical(node.args[1])
    if exponent.op != "num" or exponent.args[0].denominator != 1 or abs(exponent.args[0]) > 9999:
        return None
    return Fraction(10) ** int(exponent.args[0])


def _sum_written_out(node: Node) -> bool:
    """`3+2+1`: plain integers, or at least three letters."""
    if node.op != "add":
        return False
    bare = [arg.args[0] if arg.op == "neg" else arg for arg in node.args]
    return all(one.op in {"num", "sym"} for one in bare) and (
        all(one.op == "num" for one in bare) or (len(bare) > 2 and all(one.op == "sym" for one in bare))
    )


def _paths(left: Node, right: Node) -> bool:
    """`1-2-3`: a path, since nobody leaves two subtractions standing."""
    return all(term.op == "neg" for side in (left, right) for term in side.args[1:])


def _open_by_kind(left: Node, right: Node) -> bool:
    """Kinds of which no rule about structure may say more."""
    if "rel" in {left.op, right.op}:
        return True
    return left.op in {"bare", "cycles", "list", "set", "matrix", "builder"} or (
        _sum_written_out(left) and _sum_written_out(right)
    )


def replace_symbol(node: Node, old: Node, new: Node) -> Node:
    return new if node == old else rebuild(node, lambda one: replace_symbol(one, old, new))


def _counter(node: Node) -> Node | None:
    """The counter of a set builder: `k` of `k ∈ ℤ`."""
    for condition in node.args[1:]:
        if condition.op == "rel" and condition.args[0] == ("in",) and condition.args[1].op == "sym":
            result: Node = condition.args[1]
            return result
    return None


def _over_integers(node: Node) -> bool:
    return node.args[1:] == (Node("rel", (("in",), _counter(node), Node("type", ("bb:Z", "")))),)


def counters_of(node: Node) -> frozenset[Node]:
    """Letters that count, or that stand for any constant."""
    return frozenset(one for one in symbols(node) if one.args[0] in {"k", "n", "m", "l", "j"} and not one.args[1])


def _interval(node: Node) -> Interval | None:  # noqa: C901 - one branch for each form
    """A relation, or a set of reals, as intervals; None for what is neither."""
    if node.op == "list" and len(node.args[2]) == 2:
        return Interval(node, None, False)
    if node.op == "union" and all(part.op == "list" and len(part.args[2]) == 2 for part in node.args):
        return Interval(node, None, False)
    if node.op == "set" and node.args:
        return Interval(node, None, False)
    if node.op != "rel":
        return None
    marks, operands = node.args[0], node.args[1:]
    if marks == ("in",) and operands[0].op == "sym" and operands[1].op in {"list", "union", "set"}:
        inner = _interval(operands[1])
        return inner and Interval(inner.set, operands[0], False)
    turned = canonical_relation(node)
    marks, operands = turned.args[0], turned.args[1:]
    if not set(marks) <= {"<", "<="} or len(operands) != len(marks) + 1:
        return None
    infinity = Node("const", ("inf",))
    if len(marks) == 1:
        low, high = operands
        if high.op == "sym" and high not in symbols(low):
            return Interval(
                Node("list", (("(" if marks[0] == "<" else "[") + ")", (",",), (low, infinity))), high, True
            )
        if low.op == "sym" and low not in symbols(high):
            ends = "(" + (")" if marks[0] == "<" else "]")
            return Interval(Node("list", (ends, (",",), (Node("neg", (infinity,)), high))), low, True)
    if len(marks) == 2 and operands[1].op == "sym" and operands[1] not in symbols(operands[0]) | symbols(operands[2]):
        ends = ("(" if marks[0] == "<" else "[") + (")" if marks[1] == "<" else "]")
        return Interval(Node("list", (ends, (",",), (operands[0], operands[2]))), operands[1], True)
    return None


def canonical_relation(node: Node) -> Node:
    """A chain of inequalities from the smallest to the largest."""
    marks, operands = node.args[0], node.args[1:]
    if len(marks) == len(operands) - 1 and set(marks) <= {">", ">="}:
        turned = tuple({">": "<", ">=": "<="}[mark] for mark in reversed(marks))
        return Node("rel", (turned, *reversed(operands)))
    return node


def _whole_numbers(one: Node, other: Node) -> bool:
    """Whether two intervals hold the same integers, as far as their ends are numbers."""
    result = []
    for side in (one, other):
        if side.op != "list":
            return True
        ends = [canonical(end) for end in side.args[2]]
        counted: list[Fraction | str] = []
        for at, (end, bracket) in enumerate(zip(ends, side.args[0], strict=True)):
            if end.op != "num":
                counted.append(repr(end))
                continue
            value = end.args[0]
            whole = Fraction(
                -(-value.numerator // value.denominator) if at == 0 else value.numerator // value.denominator
            )
            if bracket in "()" and whole == value:
                whole += 1 if at == 0 else -1
            counted.append(whole)
        result.append(counted)
    return result[0] == result[1]


def _relation_and_value(rel: Node, plain: Node) -> Agreement:
    """`x+y=5` is not `5`, nor is `x>2`: a relation with two letters, or an inequality, is no value."""
    marks = set(rel.args[0])
    if plain.op not in {"num", "neg", "div", "const", "mul", "pow", "root", "add"} or not is_scalar(plain):
        return "unsure"
    if marks <= _LIMITS:
        return "no"
    if marks != {"="} or len(rel.args) != 3 or symbols(plain):
        return "unsure"
    left, right = rel.args[1:]
    letters = symbols(left)
    if len(letters) > 1 and is_scalar(left) and not symbols(right) and left.op in {"add", "mul", "div"}:
        capitals = all(one.args[0][:1].isupper() for one in letters)
        return "unsure" if left.op == "mul" and capitals else "no"
    return "unsure"


def permutations_agree(left: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> Agreement:
    """Products of cycles, read from the left and from the right: conventions differ."""
    result: set[Agreement] = set()
    for turned in (False, True):
        one, other = (_permutation(side[::-1] if turned else side) for side in (left, right))
        result.add("yes" if one == other else "no")
    return result.pop() if len(result) == 1 else "unsure"


def _permutation(cycles: Sequence[Sequence[int]]) -> dict[int, int]:
    image: dict[int, int] = {}
    points = {point for cycle in cycles for point in cycle}
    for point in points:
        at = point
        for cycle in cycles:
            if at in cycle:
                at = cycle[(cycle.index(at) + 1) % len(cycle)]
        if at != point:
            image[point] = at
    return image


def residues_agree(left: Node, right: Node) -> Agreement:
    """`x ≡ 3 (mod 7)`."""
    one, other = (side.args for side in (left, right))
    if len(one) != len(other) or len(one) != 4 or one[0] != other[0] or one[1] != other[1] or one[1].op != "sym":
        return "unsure"
    numbers = [canonical(node) for node in (one[2], one[3], other[2], other[3])]
    if any(node.op != "num" or node.args[0].denominator != 1 for node in numbers):
        return "unsure"
    first, modulus, second, modulus_ = (int(node.args[0]) for node in numbers)
    if modulus == 0 or modulus_ == 0:
        return "unsure"
    return "yes" if abs(modulus) == abs(modulus_) and (first - second) % modulus == 0 else "no"


def logic_agrees(left: Node, right: Node) -> Agreement:
    """Formulas of logic and of sets: equal as written up to order, or apart by their tables of truth."""
    structure = agree_by_structure(left, right)
    if structure != "unsure":
        return structure
    atoms = sorted({*_atoms(left), *_atoms(right)}, key=repr)
    if not 0 < len(atoms) <= 6 or not all(map(_propositional, (left, right))):
        return "unsure"
    if {*_atoms(left)} != {*_atoms(right)} and not all(side.op in _JOINTS for side in (left, right)):
        return "unsure"
    for row in range(2 ** len(atoms)):
        values = {atom: bool(row >> at & 1) for at, atom in enumerate(atoms)}
        if _truth(left, values) != _truth(right, values):
            return "no"
    return "unsure"


_JOINTS = frozenset(words("not and or xor implies iff union inter minus"))


def _atoms(node: Node) -> list[Node]:
    return [atom for arg in node.args for atom in _atoms(arg)] if node.op in _JOINTS else [node]


def _propositional(node: Node) -> bool:
    return node.op == "sym" or (node.op in _JOINTS and all(map(_propositional, node.args)))


def _truth(node: Node, values: dict[Node, bool]) -> bool:
    if node.op not in _JOINTS:
        return values[node]
    parts = [_truth(arg, values) for arg in node.args]
    if node.op == "not":
        return not parts[0]
    if node.op in {"and", "inter"}:
        return all(parts)
    if node.op in {"or", "union"}:
        return any(parts)
    if node.op == "implies":
        return not parts[0] or parts[1]
    if node.op == "minus":
        return parts[0] and not parts[1]
    return (sum(parts) % 2 == 1) if node.op == "xor" else len(set(parts)) == 1
