"""The value of a tree at a point, to a given number of digits, in the real domain unless the imaginary unit is read.

What has no value there (a root of a negative number, a pole, a gcd of fractions) raises Undefined; so does what would
cost too much.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpmath import mp

from shared.answers.reading.tree import Node
from shared.answers.rules.structure import canonical

LARGEST = 1e7
"""Natural logarithm of the largest number that is worked out."""
_TERMS = 3000
_CALLS = {
    "sin": mp.sin, "cos": mp.cos, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "arctan": mp.atan,
    "arsinh": mp.asinh, "erf": mp.erf,
}  # fmt: skip
_RATIOS = {"tan": (mp.sin, mp.cos), "cot": (mp.cos, mp.sin), "sec": (None, mp.cos), "csc": (None, mp.sin),
           "coth": (mp.cosh, mp.sinh), "sech": (None, mp.cosh), "csch": (None, mp.sinh)}  # fmt: skip


class Undefined(ValueError):
    """No value at this point."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read where there are two ways."""

    log_base: int = 0
    """Of a logarithm without base; 0: e."""
    imaginary: bool = False
    """Whether `i` is the imaginary unit."""


def written_base(name: str, reading: Reading) -> int:
    """The base of `ln`, `lg` or `log`; 0 for e. `lg` is that of ten in the standards, of two in some books."""
    if name == "ln":
        return 0
    return reading.log_base if name == "log" else 2 if reading.log_base == 2 else 10


def value_at(node: Node, point: Mapping[Node, Any], reading: Reading) -> Any:
    """The value with letters as in `point`, at mpmath's working precision. Raises Undefined."""
    try:
        return _Evaluation(point, reading).value(node)
    except (ArithmeticError, TypeError, mp.NoConvergence, RecursionError) as error:
        raise Undefined(str(error)) from error


class _Evaluation:
    def __init__(self, point: Mapping[Node, Any], reading: Reading) -> None:
        self.point = point
        self.reading = reading

    def value(self, node: Node) -> Any:
        method = getattr(self, f"_{node.op}", None)
        if method is None:
            raise Undefined(node.op)
        return method(node)

    def _many(self, node: Node) -> list[Any]:
        return [self.value(arg) for arg in node.args]

    def _num(self, node: Node) -> Any:
        value = node.args[0]
        return mp.mpf(value.numerator) / value.denominator

    def _const(self, node: Node) -> Any:
        if node.args[0] == "inf":
            raise Undefined("infinity")
        return +mp.pi if node.args[0] == "pi" else +mp.e

    def _sym(self, node: Node) -> Any:
        if node.args == ("i", "") and self.reading.imaginary:
            return mp.mpc(0, 1)
        return self.point[node]

    def _add(self, node: Node) -> Any:
        return mp.fsum(self._many(node))

    def _mul(self, node: Node) -> Any:
        return mp.fprod(self._many(node))

    _dot = _cross = _mul

    def _neg(self, node: Node) -> Any:
        return -self.value(node.args[0])

    def _div(self, node: Node) -> Any:
        above, below = self._many(node)
        if below == 0:
            raise Undefined("division by zero")
        return above / below

    def _pow(self, node: Node) -> Any:
        base, exponent = self._many(node)
        if base == 0 and not (mp.im(exponent) == 0 and mp.re(exponent) > 0):
            raise Undefined("a power of zero")
        if base != 0 and abs(exponent) * abs(mp.log(abs(base))) > LARGEST:
            raise Undefined("too large")
        if isinstance(base, mp.mpc) or isinstance(exponent, mp.mpc) or base >= 0 or mp.isint(exponent):
            return mp.power(base, exponent)
        exact = canonical(node.args[1])
        if exact.op != "num" or exact.args[0].denominator % 2 == 0 or self.reading.imaginary:
            raise Undefined("a power of a negative number")
        sign = -1 if exact.args[0].numerator % 2 else 1
        return sign * mp.power(-base, exponent)

    def _root(self, node: Node) -> Any:
        degree, radicand = self._many(node)
        if isinstance(radicand, mp.mpc) or not mp.isint(degree) or not 1 < degree < 1000:
            raise Undefined("a root")
        if radicand >= 0:
            return mp.root(radicand, int(degree))
        if self.reading.imaginary and degree == 2:
            return mp.sqrt(mp.mpc(radicand))
        if int(degree) % 2 == 0 or self.reading.imaginary:
            raise Undefined("a root of a negative number")
        return -mp.root(-radicand, int(degree))

    def _fact(self, node: Node) -> Any:
        [n] = self._many(node)
        if isinstance(n, mp.mpc) or not 0 <= n < 1e6:
            raise Undefined("a factorial")
        return mp.gamma(n + 1)

    def _dfact(self, node: Node) -> Any:
        [n] = self._many(node)
        if isinstance(n, mp.mpc) or not mp.isint(n) or not 0 <= n < 1e4:
            raise Undefined("a double factorial")
        return mp.mpf(math.prod(range(int(n), 0, -2)))

    def _binom(self, node: Node) -> Any:
        n, k = self._many(node)
        if isinstance(n, mp.mpc) or isinstance(k, mp.mpc) or not 0 <= k <= n < 1e6:
            raise Undefined("a binomial")
        return mp.binomial(n, k)

    def _abs(self, node: Node) -> Any:
        return abs(self.value(node.args[0]))

    def _floor(self, node: Node) -> Any:
        return mp.floor(self._real(node.args[0]))

    def _ceil(self, node: Node) -> Any:
        return mp.ceil(self._real(node.args[0]))

    def _real(self, node: Node) -> Any:
        value = self.value(node)
        if isinstance(value, mp.mpc):
            raise Undefined("not real")
        return value

    def _call(self, node: Node) -> Any:
        name, operands = node.args[0], node.args[1:]
        if name in {"gcd", "lcm", "mod"}:
            return self._whole(name, [self._real(one) for one in operands])
        if name in {"max", "min"}:
            return (max if name == "max" else min)([self._real(one) for one in operands])
        x = self.value(operands[0])
        if name in {"ln", "log", "lg"}:
            return self._logarithm(name, x, operands[1:])
        if name in _CALLS:
            if abs(x) > 1e6 and name in {"sinh", "cosh"}:
                raise Undefined("too large")
            return _CALLS[name](x)
        if name in _RATIOS:
            above, below = _RATIOS[name]
            divisor = below(x)
            if abs(divisor) < mp.mpf(10) ** (-mp.dps // 2):
                raise Undefined("a pole")
            return (above(x) if above else 1) / divisor
        if isinstance(x, mp.mpc):
            raise Undefined("not real")
        return self._inverse(name, x)

    def _logarithm(self, name: str, x: Any, base: tuple[Node, ...]) -> Any:
        if isinstance(x, mp.mpc) or x <= 0:
            raise Undefined("a logarithm of what is not positive")
        if base:
            of = self._real(base[0])
            if of <= 0 or of == 1:
                raise Undefined("a base of a logarithm")
            return mp.log(x) / mp.log(of)
        written = written_base(name, self.reading)
        return mp.log(x) / mp.log(written) if written else mp.log(x)

    def _inverse(self, name: str, x: Any) -> Any:
        if name in {"arcsin", "arccos"} and abs(x) <= 1:
            return mp.asin(x) if name == "arcsin" else mp.acos(x)
        if name == "arcosh" and x >= 1:
            return mp.acosh(x)
        if name == "artanh" and abs(x) < 1:
            return mp.atanh(x)
        if name == "Gamma" and 0 < x < 1e6:
            return mp.gamma(x)
        raise Undefined(name)

    def _whole(self, name: str, operands: list[Any]) -> Any:
        if not all(mp.isint(one) and abs(one) < 1e40 for one in operands):
            raise Undefined(f"{name} of what is not whole")
        numbers = [int(one) for one in operands]
        if name == "mod":
            if len(numbers) != 2 or numbers[1] <= 0:
                raise Undefined("a remainder")
            return mp.mpf(numbers[0] % numbers[1])
        return mp.mpf(math.gcd(*numbers) if name == "gcd" else math.lcm(*numbers))

    def _sum(self, node: Node) -> Any:
        return mp.fsum(self._terms(node))

    def _prod(self, node: Node) -> Any:
        return mp.fprod(self._terms(node))

    def _terms(self, node: Node) -> list[Any]:
        variable, first, last, body = node.args
        begin, end = self._real(first), self._real(last)
        if not mp.isint(begin) or not mp.isint(end) or end - begin > _TERMS:
            raise Undefined("a sum of too many terms")
        numbers = range(int(begin), int(end) + 1)
        return [_Evaluation({**self.point, variable: mp.mpf(n)}, self.reading).value(body) for n in numbers]

    def _app(self, node: Node) -> Any:
        """An unknown function: a number that only its name and the values of its operands decide."""
        values = [mp.nstr(self._real(one), 20) for one in node.args[3:]]
        return _drawn(repr((node.args[:3], values)))

    def _deriv(self, node: Node) -> Any:
        return _drawn(repr(canonical(node)))

    def _mark(self, node: Node) -> Any:
        if node.args[1] in {"°", "%"} or node.args[1].startswith("unit:"):
            raise Undefined("a unit")
        return _drawn(repr(canonical(node)))


def _drawn(seed: str) -> Any:
    return mp.mpf(int(hashlib.sha256(seed.encode()).hexdigest()[:12], 16)) / 2**46 + mp.mpf(1) / 3
