"""Algebra by sympy and mpmath, in the worker: a verdict needs a proof and agreement, or difference at the points tried.

yes: the difference is zero symbolically, and the values are equal at positive, whole and negative points.
no: the values differ at every positive and whole point. What is equal at some points only is open: `|2x|` and `2x`.
Trees are read whole by a grammar of our own; sympy gets objects, never text.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import sympy
from mpmath import mp

from schemas.item import Agreement
from shared.answers.number import SURE_DIGITS
from shared.answers.reading.tree import Node, num, symbols, walk, words
from shared.answers.rules.compare import both_readings, is_scalar, number_of
from shared.answers.rules.numeric import Reading, Undefined, value_at, written_base
from shared.answers.rules.order import braids, commutator, order_matters
from shared.answers.rules.structure import canonical

DIGITS = 60
CONSTANT_DIGITS = 450
"""For numbers without letters: `(3^{200}+1)/3^{200}` is not one."""
NEAR = 0.01
"""Relative distance within which an approximation is not called a different number."""
_STEPS = frozenset({"floor", "ceil", "abs"})
_STEP_CALLS = frozenset((name,) for name in ("max", "min", "gcd", "lcm", "mod"))
"""Functions in steps: different ones are equal at some points."""
_CONSTANTS = {"C", "K", "c", "k", "h", "g", "G", "R", "e", "m", "q", "A", "B", "hbar", "D", "N", "i"}
"""Letters that a problem may have given a value, or left free."""


@dataclass(frozen=True, slots=True)
class Points:
    """How two expressions compare at points of three kinds: `same`, `apart`, `near`, `one` (only one has a value)."""

    positive: tuple[str, ...]
    whole: tuple[str, ...]
    small: tuple[str, ...]
    """Whole numbers below ten, where powers of powers have values, and different expressions meet more often."""
    negative: tuple[str, ...]


class Algebra:
    """The oracle of the worker."""

    def scalars(self, key: Node, answer: Node) -> Agreement:
        if any(map(_indices, (key, answer))) or braids(key, answer):
            return "unsure"
        infinite = [_infinite(side) for side in (key, answer)]
        if any(infinite):
            return _infinities(key, answer, infinite)
        free = _free_constants(key) | _free_constants(answer)
        if free and symbols(key) | symbols(answer) != free:
            return self._with_constants(key, answer, free)
        return _over_readings(key, answer, self._scalars)

    def _scalars(self, key: Node, answer: Node, reading: Reading) -> Agreement:
        letters = [_letters(side, reading) for side in (key, answer)]
        decimals = any(one.op == "num" and one.args[2] for side in (key, answer) for one in walk(side))
        if not letters[0] and not letters[1]:
            return _constants(key, answer, reading, decimals)
        points = _points(key, answer, sorted(letters[0] | letters[1], key=repr), reading, decimals)
        whole_only = any(map(_of_whole_numbers, (key, answer)))
        used = [*points.whole, *points.small] if whole_only else [*points.positive, *points.whole]
        rest = () if whole_only else points.negative
        if [*used, *points.small].count("same") >= 2 and not {"apart", "near", "one"} & {*used, *points.small, *rest}:
            return _if_order_allows(key, answer) if is_zero(difference(key, answer, reading)) else "unsure"
        steps = all(map(_in_steps, (key, answer)))
        decisive = [one for one in used if one != "none"]
        if decisive.count("apart") < 2 and not whole_only:
            decisive += [one for one in points.small if one != "none"]
        if decisive.count("apart") >= 2 and (steps or "same" not in decisive) and "near" not in decisive:
            unknown = any(one.op == "app" for side in (key, answer) for one in walk(side))
            return "no" if not unknown and _may_differ(letters[0], letters[1], key, answer) else "unsure"
        return "unsure"

    def _with_constants(self, key: Node, answer: Node, free: frozenset[Node]) -> Agreement:
        """`x^2+C`: equal up to the value of one free constant that is added or multiplies."""
        result = _over_readings(key, answer, self._scalars)
        constants = [_free_constants(side) for side in (key, answer)]
        if result == "yes" or any(len(one) != 1 for one in constants):
            return "yes" if result == "yes" else "unsure"
        reading = Reading()
        built = [Builder(reading).build(side) for side in (key, answer)]
        names = [Builder(reading).letter(next(iter(one))) for one in constants]
        parts = [sympy.Poly(sympy.expand(side), name).all_coeffs() for side, name in zip(built, names, strict=True)
                 if sympy.expand(side).is_polynomial(name)]  # fmt: skip
        if len(parts) != 2 or any(len(one) != 2 for one in parts):
            return "unsure"
        (slope, rest), (slope_, rest_) = parts
        if not rest and not rest_:
            ratio = sympy.simplify(slope / slope_)
            return "yes" if not ratio.free_symbols else "no"
        if slope.free_symbols or slope_.free_symbols:
            return "unsure"
        return "yes" if not sympy.simplify(rest - rest_).free_symbols else "no"

    def relations(self, key: Node, answer: Node) -> Agreement:
        if symbols(key) != symbols(answer) or not symbols(key):
            return "unsure"
        parts = [_differences(side) for side in (key, answer)]
        if not parts[0] or not parts[1]:
            return "unsure"
        if not all(is_scalar(one) for side in parts for _, one in side):
            return "unsure"
        return _over_readings(key, answer, lambda one, other, reading: _relations(parts[0], parts[1], reading))

    def growth(self, key: Node, answer: Node, exactly: bool) -> Agreement:
        if not is_scalar(key) or not is_scalar(answer):
            return "unsure"
        return _over_readings(key, answer, lambda one, other, reading: _growth(one, other, reading, exactly))

    def families(self, key: Node, answer: Node, counters: frozenset[Node]) -> Agreement:
        sides = []
        for side in (key, answer):
            counted = symbols(side)
            if len(counted) != 1 or not counted <= counters or not is_scalar(side):
                return "unsure"
            name = Builder(Reading()).letter(next(iter(counted)))
            built = sympy.expand(Builder(Reading()).build(side))
            if not built.is_polynomial(name) or sympy.degree(built, name) != 1:
                return "unsure"
            sides.append(sympy.Poly(built, name).all_coeffs())
        (step, start), (step_, start_) = sides
        if sympy.simplify(sympy.Abs(step) - sympy.Abs(step_)) != 0:
            return "no"
        return "yes" if sympy.simplify((start - start_) / step).is_integer else "no"


def _over_readings(key: Node, answer: Node, decide: Callable[[Node, Node, Reading], Agreement]) -> Agreement:
    """What holds however a logarithm without base, and the letter i, are read."""
    parts = [*walk(key), *walk(answer)]
    logs = any(one.op == "call" and one.args[0] in {"log", "lg"} and len(one.args) == 2 for one in parts)
    letters = symbols(key) | symbols(answer)
    unit = Node("sym", ("i", "")) in letters
    imaginary = (True,) if letters == {Node("sym", ("i", ""))} else (False, True) if unit else (False,)
    result: Agreement | None = None
    for base in (0, 10, 2) if logs else (0,):
        for one in imaginary:
            verdict = decide(key, answer, Reading(base, one))
            result = verdict if result is None else both_readings(result, verdict)
            if result == "unsure":
                return result
    return result or "unsure"


def _infinite(node: Node) -> int:
    result = canonical(node)
    if result == Node("const", ("inf",)):
        return 1
    return -1 if result == Node("mul", (num(-1), Node("const", ("inf",)))) else 0


def _infinities(key: Node, answer: Node, infinite: list[int]) -> Agreement:
    if all(infinite):
        return "yes" if infinite[0] == infinite[1] else "no"
    finite = answer if infinite[0] else key
    return "no" if number_of(finite) is not None else "unsure"


def _indices(node: Node) -> bool:
    r"""`\gamma^0\gamma^1`: two powers of one letter side by side are rather upper indices."""
    for one in walk(node):
        if one.op in {"mul", "dot", "cross"}:
            raised = [factor.args[0] for factor in one.args if isinstance(factor, Node) and factor.op == "pow"
                      and factor.args[0].op == "sym" and factor.args[1].op == "num"]  # fmt: skip
            if len(set(raised)) < len(raised):
                return True
    return False


def _free_constants(node: Node) -> frozenset[Node]:
    numbered = {"c", "K"}
    return frozenset(
        one for one in symbols(node) if one.args[0] == "C" or (one.args[0] in numbered and one.args[1].isdigit())
    )


def _letters(node: Node, reading: Reading) -> frozenset[Node]:  # noqa: C901 - one branch for each binder
    """Free letters: without bound ones, and without `i` where it is the imaginary unit."""
    result: set[Node] = set()

    def collect(one: Node, bound: frozenset[Node]) -> None:
        if one.op == "sym":
            if one not in bound and not (one.args == ("i", "") and reading.imaginary):
                result.add(one)
        elif one.op in {"sum", "prod"}:
            inner = bound | {one.args[0]}
            for arg in one.args[1:3]:
                collect(arg, bound)
            collect(one.args[3], inner)
        elif one.op in {"deriv", "mark"}:
            result.add(canonical(one))
        elif one.op == "app":
            for arg in one.args[3:]:
                collect(arg, bound)
            result.add(Node("app", one.args[:3]))
        else:
            for arg in one.args:
                if isinstance(arg, Node):
                    collect(arg, bound)

    collect(node, frozenset())
    return frozenset(result)


def _of_whole_numbers(node: Node) -> bool:
    """Whether a tree has values at whole points alone: a sum up to n, a factorial, a gcd, a power of minus one."""
    for one in walk(node):
        if one.op in {"sum", "prod", "fact", "dfact", "binom"}:
            return True
        if one.op == "call" and one.args[0] in {"gcd", "lcm", "mod"}:
            return True
        if one.op == "pow" and canonical(one.args[0]).op == "num" and canonical(one.args[0]).args[0] < 0:
            return bool(symbols(one.args[1]))
    return False


def _in_steps(node: Node) -> bool:
    return any(one.op in _STEPS or (one.op == "call" and one.args[:1] in _STEP_CALLS) for one in walk(node))


def _may_differ(left: frozenset[Node], right: frozenset[Node], key: Node, answer: Node) -> bool:
    """Whether values that differ prove anything: not where the letters do, and the problem may tie them."""
    if left == right:
        return True
    if not (left < right or right < left) or key.op == "sym" or answer.op == "sym":
        return False
    more = (left | right) - (left & right)
    return all(one.op == "sym" and one.args[0] not in _CONSTANTS for one in more)


# --- values


def _constants(key: Node, answer: Node, reading: Reading, decimals: bool) -> Agreement:
    try:
        one, other = (_sure_value(side, {}, reading, CONSTANT_DIGITS) for side in (key, answer))
    except Undefined:
        return "unsure"
    if decimals:
        return _decimals(key, answer, one, other)
    if _apart(one, other) > mp.mpf(10) ** -200:
        return "no"
    if one == other == 0 or is_zero(difference(key, answer, reading)):
        return "yes" if _apart(one, other) < mp.mpf(10) ** -350 else "unsure"
    return "unsure"


def _decimals(key: Node, answer: Node, one: Any, other: Any) -> Agreement:
    """A decimal on one side at least: it may be rounded."""
    if _apart(one, other) > NEAR:
        return "no"
    if _apart(one, other) < mp.mpf(10) ** -350 and _whole_decimals(key, answer):
        return "yes"
    stated = number_of(key)
    exact = not any(part.op == "num" and part.args[2] for part in walk(answer))
    if stated is None or stated.digits < SURE_DIGITS or not exact:
        return "unsure"
    half = mp.mpf(stated.half_step.numerator) / stated.half_step.denominator
    return "yes" if abs(one - other) <= half else "unsure"


def _whole_decimals(*sides: Node) -> bool:
    """Whether every decimal is a whole number: 57.0."""
    return all(one.args[0].denominator == 1 for side in sides for one in walk(side) if one.op == "num" and one.args[2])


def _sure_value(node: Node, point: Mapping[Node, Any], reading: Reading, digits: int) -> Any:
    """The value, the same at twice the precision; what shrinks with it is zero. Raises Undefined."""
    with mp.workdps(digits):
        rough = value_at(node, point, reading)
    with mp.workdps(2 * digits):
        fine = value_at(node, point, reading)
    if abs(fine) < mp.mpf(10) ** -(digits * 2 // 3) and abs(fine) < abs(rough) * mp.mpf(10) ** -(digits // 3):
        return mp.mpf(0)
    if abs(rough - fine) > abs(fine) * mp.mpf(10) ** -(digits * 3 // 4):
        if abs(fine) < mp.mpf(10) ** -(digits * 2 // 3) and abs(rough) < mp.mpf(10) ** -(digits * 2 // 3):
            return mp.mpf(0)
        raise Undefined("too few digits remain")
    return fine


def _apart(one: Any, other: Any) -> Any:
    with mp.workdps(2 * CONSTANT_DIGITS):
        largest = max(abs(one), abs(other))
        return abs(one - other) / largest if largest else mp.mpf(0)


def _points(key: Node, answer: Node, letters: list[Node], reading: Reading, decimals: bool) -> Points:
    dice = Random(19)  # noqa: S311 - repeatable, not secret
    names = [letter for letter in letters if letter.op == "sym"]

    def at(draw: Callable[[], Fraction]) -> str:
        point = {name: mp.mpf(drawn.numerator) / drawn.denominator for name in names for drawn in (draw(),)}
        return _status(key, answer, point, reading, decimals)

    def positive() -> Fraction:
        return Fraction(dice.randint(200, 3999), 997)

    def small() -> Fraction:
        return Fraction(dice.randint(50, 950), 997)

    def signed() -> Fraction:
        return positive() * dice.choice((-1, -1, 1))

    with mp.workdps(2 * DIGITS):
        return Points(
            tuple(at(draw) for draw in (positive,) * 4 + (small,) * 2),
            tuple(at(lambda: Fraction(dice.randint(40, 400))) for _ in range(5)),
            tuple(at(lambda: Fraction(dice.randint(2, 9))) for _ in range(3)),
            (at(lambda: -positive()), at(signed), at(signed), at(lambda: Fraction(-dice.randint(2, 9)))),
        )


def _status(key: Node, answer: Node, point: Mapping[Node, Any], reading: Reading, decimals: bool) -> str:
    values = []
    for side in (key, answer):
        try:
            values.append(_sure_value(side, point, reading, DIGITS))
        except Undefined:
            values.append(None)
    one, other = values
    if one is None or other is None:
        return "none" if one is other else "one"
    apart = _apart(one, other)
    if apart < mp.mpf(10) ** -35:
        return "same"
    return "apart" if apart > (NEAR if decimals else mp.mpf(10) ** -12) else "near"


# --- proof


class Builder:
    """A tree as a sympy expression, letters positive."""

    def __init__(self, reading: Reading, **assumptions: bool) -> None:
        self.reading = reading
        self.assumptions = assumptions or {"positive": True}

    def letter(self, node: Node) -> sympy.Symbol:
        return sympy.Symbol(repr(node.args), **self.assumptions)

    def build(self, node: Node) -> sympy.Expr:  # noqa: C901 - one case for each operator
        """Raises Undefined for what sympy has no object for."""
        args = [self.build(arg) for arg in node.args if isinstance(arg, Node)] if node.op not in _OWN else []
        match node.op:
            case "num":
                return sympy.Rational(node.args[0].numerator, node.args[0].denominator)
            case "const":
                return sympy.pi if node.args[0] == "pi" else sympy.E
            case "sym":
                return sympy.I if self.reading.imaginary and node.args == ("i", "") else self.letter(node)
            case "add":
                return sympy.Add(*args)
            case "mul" | "dot" | "cross":
                return sympy.Mul(*args)
            case "neg":
                return -args[0]
            case "div":
                return args[0] * args[1] ** -1
            case "pow":
                return self._power(args[0], args[1])
            case "root":
                return self._power(args[1], 1 / args[0])
            case "fact":
                return sympy.factorial(_small(args[0]))
            case "dfact":
                return sympy.factorial2(_small(args[0]))
            case "binom":
                return sympy.binomial(_small(args[0]), args[1])
            case "abs":
                return sympy.Abs(args[0])
            case "floor":
                return sympy.floor(args[0])
            case "ceil":
                return sympy.ceiling(args[0])
            case "call":
                return self._call(node.args[0], args)
            case "sum" | "prod":
                return self._series(node)
            case "app":
                function = sympy.Function(repr(node.args[:3]), positive=True)
                return function(*(self.build(arg) for arg in node.args[3:]))
            case "deriv" | "mark":
                return sympy.Symbol(repr(canonical(node)), **self.assumptions)
        raise Undefined(node.op)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        """Odd roots of negative numbers are real. Raises Undefined for what would be too large."""
        if base.is_Rational and exponent.is_Rational:
            size = max(base.p.bit_length(), base.q.bit_length())
            if abs(exponent) * size > 200_000 and base not in (0, 1, -1):
                raise Undefined("too large")
            if base < 0 and exponent.q % 2 and exponent.q > 1 and not self.reading.imaginary:
                return (-1) ** exponent.p * (-base) ** exponent
        return base**exponent

    def _call(self, name: str, args: list[sympy.Expr]) -> sympy.Expr:
        if name in {"ln", "log", "lg"}:
            if len(args) == 2:
                return sympy.log(args[0]) / sympy.log(args[1])
            base = written_base(name, self.reading)
            return sympy.log(args[0]) / sympy.log(base) if base else sympy.log(args[0])
        if name in {"gcd", "lcm", "max", "min"}:
            if all(arg.is_Integer for arg in args):
                whole = {"gcd": sympy.igcd, "lcm": sympy.ilcm, "max": max, "min": min}[name](*args)
                return sympy.Integer(whole)
            return sympy.Function(name, positive=True)(*sorted(args, key=sympy.default_sort_key))
        if name == "mod":
            return sympy.Mod(args[0], args[1])
        functions = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arsinh": "asinh", "arcosh": "acosh",
                     "artanh": "atanh", "Gamma": "gamma"}  # fmt: skip
        if name in functions or name in _SYMPY:
            return getattr(sympy, functions.get(name, name))(*args)
        raise Undefined(name)

    def _series(self, node: Node) -> sympy.Expr:
        variable, first, last, body = node.args
        counter = sympy.Symbol(repr(variable.args), integer=True, positive=True)
        inner = self.build(body).subs(self.letter(variable), counter)
        kind = sympy.Sum if node.op == "sum" else sympy.Product
        result = kind(inner, (counter, self.build(first), self.build(last))).doit()
        if result.has(kind):
            raise Undefined("a sum that is not worked out")
        return result


def _small(number: sympy.Expr) -> sympy.Expr:
    """An operand that is worked out. Raises Undefined beyond some thousands."""
    if number.is_number and not abs(number) <= 5000:
        raise Undefined("too large")
    return number


_SYMPY = frozenset(words("sin cos tan cot sec csc sinh cosh tanh coth sech csch erf"))
"""Functions of the same name there."""
_OWN = frozenset({"num", "const", "sym", "sum", "prod", "app", "deriv", "mark"})


def difference(key: Node, answer: Node, reading: Reading) -> sympy.Expr | None:
    """Of the two as sympy objects; None where there is none."""
    try:
        builder = Builder(reading)
        return builder.build(key) - builder.build(answer)
    except (Undefined, ValueError, TypeError, ZeroDivisionError):
        return None


def is_zero(expression: sympy.Expr | None) -> bool:
    """Whether an expression is zero by calculation, cheapest way first."""
    if expression is None or expression.has(sympy.nan, sympy.zoo, sympy.oo):
        return False
    if expression == 0:
        return True
    ways: Iterable[Callable[[Any], Any]] = (
        sympy.expand,
        lambda one: sympy.cancel(sympy.together(one)),
        lambda one: sympy.expand(one, log=True, force=True, power_base=True, power_exp=True, trig=True, func=True),
        lambda one: sympy.expand(sympy.radsimp(one)),
        lambda one: sympy.simplify(sympy.combsimp(sympy.gammasimp(one))),
        lambda one: sympy.simplify(sympy.expand_log(one, force=True)),
        lambda one: sympy.simplify(one.rewrite(sympy.exp)),
        lambda one: sympy.expand(sympy.powsimp(sympy.powdenest(one, force=True), force=True)),
        sympy.nsimplify,
    )
    for way in ways:
        try:
            if way(expression) == 0:
                return True
        except (ValueError, TypeError, NotImplementedError, AttributeError, sympy.PolynomialError, RecursionError):
            continue
    return not expression.free_symbols and expression.is_algebraic is True and sympy.minimal_polynomial(
        expression, sympy.Symbol("x")) == sympy.Symbol("x")  # fmt: skip


def _if_order_allows(key: Node, answer: Node) -> Agreement:
    """Letters that may not commute: equal only if equal with the order kept."""
    if not order_matters(key, answer):
        return "yes"
    builder = Builder(Reading(), commutative=False)
    try:
        if sympy.expand(builder.build(key) - builder.build(answer)) == 0:
            return "yes"
    except (Undefined, TypeError, ValueError):
        return "unsure"
    return "no" if commutator(key, answer) else "unsure"


# --- relations and growth


def _differences(node: Node) -> list[tuple[str, Node]]:
    """`a < b = c` as signs and differences of neighbours, larger less smaller; empty for other signs."""
    marks, operands = node.args[0], node.args[1:]
    if len(operands) != len(marks) + 1:
        return []
    result = []
    for mark, left, right in zip(marks, operands, operands[1:], strict=False):
        if mark in {">", ">="}:
            mark, left, right = {">": "<", ">=": "<="}[mark], right, left
        if mark not in {"<", "<=", "=", "!="}:
            return []
        result.append((mark, Node("add", (right, Node("neg", (left,))))))
    return result


def _relations(key: list[tuple[str, Node]], answer: list[tuple[str, Node]], reading: Reading) -> Agreement:
    if len(key) == len(answer) == 1 and key[0][0] == answer[0][0]:
        ratio = _ratio(key[0][1], answer[0][1], reading)
        if ratio is not None and (key[0][0] in {"=", "!="} or ratio > 0):
            return "yes"
    if [mark for mark, _ in key] == [mark for mark, _ in answer] == ["="]:
        return _equations(key[0][1], answer[0][1], reading)
    if all(mark in {"<", "<="} for mark, _ in (*key, *answer)):
        return _inequalities(key, answer, reading)
    return "unsure"


def _ratio(one: Node, other: Node, reading: Reading) -> Any:
    """The constant that the first is of the second; None where it is none."""
    letters = sorted(_letters(one, reading) | _letters(other, reading), key=repr)
    names = [letter for letter in letters if letter.op == "sym"]
    dice, ratios = Random(23), []  # noqa: S311 - repeatable, not secret
    with mp.workdps(2 * DIGITS):
        for _ in range(5):
            point = {name: mp.mpf(dice.randint(-4000, 4000)) / 997 for name in names}
            try:
                below = _sure_value(other, point, reading, DIGITS)
                ratios.append(_sure_value(one, point, reading, DIGITS) / below)
            except (Undefined, ZeroDivisionError):
                continue
        if len(ratios) < 2 or any(_apart(ratio, ratios[0]) > mp.mpf(10) ** -35 for ratio in ratios) or not ratios[0]:
            return None
    builder = Builder(reading, real=True)
    try:
        exact = sympy.simplify(builder.build(one) / builder.build(other))
    except (Undefined, TypeError, ValueError):
        return None
    return ratios[0] if not exact.free_symbols and not order_matters(one, other) else None


def _equations(one: Node, other: Node, reading: Reading) -> Agreement:
    """Different if points on each curve are off the other."""
    for on, off in ((one, other), (other, one)):
        result = _off(on, off, reading)
        if result is not True:
            return "unsure"
    return "no"


def _off(on: Node, off: Node, reading: Reading) -> bool | None:
    """Whether every real point found on the first curve is off the second; None where none is found."""
    builder = Builder(reading, real=True)
    try:
        curve, other = builder.build(on), builder.build(off)
    except (Undefined, TypeError, ValueError):
        return None
    letters = sorted(curve.free_symbols, key=str)
    dice, result = Random(29), 0  # noqa: S311 - repeatable, not secret
    for letter in letters:
        if not curve.is_polynomial(letter) or sympy.degree(curve, letter) not in (1, 2):
            continue
        for _ in range(8):
            point = {name: sympy.Rational(dice.randint(100, 3000), 997) for name in letters if name != letter}
            for root in sympy.roots(sympy.Poly(curve.subs(point), letter)):
                value = complex(root.evalf(30))
                if abs(value.imag) > 1e-20:
                    continue
                there = complex(other.subs(point).subs(letter, root).evalf(30))
                if abs(there) < 1e-9:
                    return False
                result += 1
        if result >= 2:
            return True
    return None


def _inequalities(key: list[tuple[str, Node]], answer: list[tuple[str, Node]], reading: Reading) -> Agreement:
    """Different if real points and whole points satisfy one and not the other; the same only by their form."""
    names = {name for _, one in (*key, *answer) for name in _letters(one, reading) if name.op == "sym"}
    letters = sorted(names, key=repr)
    if len(key) == len(answer):
        left = {(mark, canonical(one)) for mark, one in key}
        right = {(mark, canonical(one)) for mark, one in answer}
        if left == right:
            return "yes"
        pairs = [
            [mark == mark_ and (_ratio(one, other, reading) or 0) > 0 for mark_, other in answer] for mark, one in key
        ]
        if all(map(any, pairs)) and all(any(column) for column in zip(*pairs, strict=True)):
            return "yes"
    dice, differs = Random(31), {"real": False, "whole": False}  # noqa: S311 - repeatable, not secret
    for kind in ("real", "whole"):
        for _ in range(150):
            point = {name: mp.mpf(dice.randint(1, 12)) if kind == "whole" else mp.mpf(dice.randint(1, 9000)) / 997
                     for name in letters}  # fmt: skip
            one, other = (_holds(side, point, reading) for side in (key, answer))
            differs[kind] = differs[kind] or (one is not None and other is not None and one != other)
    return "no" if all(differs.values()) else "unsure"


def _holds(side: list[tuple[str, Node]], point: Mapping[Node, Any], reading: Reading) -> bool | None:
    try:
        values = [(mark, value_at(one, point, reading)) for mark, one in side]
    except Undefined:
        return None
    if any(isinstance(value, mp.mpc) for _, value in values):
        return None
    return all(value > 0 or (mark == "<=" and value == 0) for mark, value in values)


def _growth(one: Node, other: Node, reading: Reading, exactly: bool) -> Agreement:
    letters = _letters(one, reading) | _letters(other, reading)
    if any(letter.op != "sym" for letter in letters):
        return "unsure"
    builder = Builder(reading)
    try:
        ratio = sympy.simplify(builder.build(one) / builder.build(other))
    except (Undefined, TypeError, ValueError):
        return "unsure"
    if not ratio.free_symbols:
        return "yes" if not exactly or ratio == 1 else "no"
    if len(letters) != 1 or len(ratio.free_symbols) != 1:
        return "unsure"
    [name] = letters
    limit = sympy.limit(ratio, builder.letter(name), sympy.oo)
    steps = _growth_at(one, other, name, reading)
    if steps is None:
        return "unsure"
    if limit.is_number and limit.is_finite and limit.is_positive:
        if not mp.mpf("0.9") < steps[1] / steps[0] < mp.mpf("1.1"):
            return "unsure"
        return "yes" if not exactly or limit == 1 else "no"
    if limit in (0, sympy.oo):
        grows = steps[1] / steps[0]
        clear = abs(grows - 1) > mp.mpf("0.02")
        return "no" if clear and (grows > 1) == (limit == sympy.oo) else "unsure"
    return "unsure"


def _growth_at(one: Node, other: Node, name: Node, reading: Reading) -> list[Any] | None:
    """The ratio far out, and farther."""
    for first, second in ((mp.mpf(10) ** 40, mp.mpf(10) ** 80), (mp.mpf(1000), mp.mpf(4000))):
        try:
            with mp.workdps(DIGITS * 2):
                points = ({name: at} for at in (first, second))
                return [value_at(one, point, reading) / value_at(other, point, reading) for point in points]
        except (Undefined, ZeroDivisionError):
            continue
    return None
