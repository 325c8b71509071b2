"""Process that compares with math-verify and pint: `python -m shared.answers.worker`, one JSON line in, one out.

A comparison that takes too long, or too much memory, ends the process: the kernel's own timer fires whatever Python
or C code is running. It counts CPU time, so that a busy machine changes no outcome. It also bounds how long the process
can outlive its parent; idle, it ends with its standard input.
"""

import json
import logging
import os
import resource
import signal
import sys
from fractions import Fraction
from typing import Any

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify
from sympy import Basic, Expr, Float, Rational, oo
from sympy.core.function import AppliedUndef

from schemas.item import Agreement
from shared.answers.expression import two_units
from shared.answers.number import SURE_DIGITS, read_number
from shared.answers.units import compare_quantities, registry

MEMORY = 1 << 30
"""Bytes of address space."""
NEAR = 0.01
"""Relative distance within which an approximation is not called a different number."""
EXACT = 1e-9
"""The same where nothing is rounded, but by us."""

_CONFIG = [LatexExtractionConfig(boxed_match_priority=-1), ExprExtractionConfig()]


def compare(key: str, answer: str) -> Agreement:
    """Whether two LaTeX expressions are equal. What cannot be read, or told apart for sure, is `unsure`."""
    gold, given = (parse(f"${text}$", extraction_config=_CONFIG, parsing_timeout=None) for text in (key, answer))
    if not gold or not given or isinstance(gold[0], str) or isinstance(given[0], str):
        return "unsure"
    if (rounds := _rounds(key, gold[0], given[0])) is not None:
        return rounds
    there, back = verify(gold, given, timeout_seconds=None), verify(given, gold, timeout_seconds=None)
    if there or back:
        return "yes" if there and back else "unsure"
    return "no" if _comparable(gold[0], given[0]) else "unsure"


def _rounds(key: str, gold: Any, given: Any) -> Agreement | None:
    """Whether an exact value rounds to a decimal key; None when this is not about one.

    The other way round, a decimal for an exact key, is open: math-verify takes six figures for equal.
    """
    if not all(isinstance(side, Basic) and side.is_number and side.is_real for side in (gold, given)):
        return None
    if given.atoms(Float) and not gold.atoms(Float) and not gold.is_rational:
        return "unsure" if abs(float(gold) - float(given)) <= NEAR * abs(float(gold)) else "no"
    stated = read_number(key)
    if stated is None or stated.digits < SURE_DIGITS or given.atoms(Float):
        return None
    return "yes" if abs(stated.value - Fraction(str(given.evalf(30)))) <= stated.half_step else None


def _comparable(key: Any, answer: Any) -> bool:
    """Whether "not shown equal" means "different": the same names, nothing unknown, and other values at some point.

    The point is positive, as most variables are: ln(x²) is 2 ln x there. math-verify reads `i` and `e` as names now and
    then, so that an imaginary unit proves nothing; and nothing is proved of inequalities, whose numbers may be whole.
    """
    if not isinstance(key, Expr) or not isinstance(answer, Expr):
        return False
    if {key, answer} == {oo, -oo}:
        return True
    names = [{str(symbol) for symbol in side.free_symbols} for side in (key, answer)]
    if names[0] != names[1] or names[0] & {"i", "e"} or key.atoms(AppliedUndef) or answer.atoms(AppliedUndef):
        return False
    one, other = (_at_a_point(side) for side in (key, answer))
    near = NEAR if key.atoms(Float) or answer.atoms(Float) else EXACT
    return abs(one - other) > near * max(abs(one), abs(other))


def _at_a_point(side: Expr) -> complex:
    """The value where the variables, by name, are 1.37, 2.37, … Raises TypeError when there is none."""
    names = sorted(side.free_symbols, key=str)
    return complex(side.subs({name: Rational(137, 100) + at for at, name in enumerate(names)}).evalf())


def answered(key: str, answer: str) -> tuple[Agreement, str, str]:
    """Whether they agree, by which method, and why it cannot be told."""
    method = "units" if two_units(key, answer) else "symbolic"
    try:
        if method == "units":
            left, right = read_number(key), read_number(answer)
            assert left is not None and right is not None  # noqa: S101, PT018 - two units need two numbers
            agrees, why = compare_quantities(left, right)
            return agrees, method, why
        return compare(key, answer), method, ""
    except Exception as error:  # noqa: BLE001 - the libraries raise anything for what a model wrote
        return "unsure", method, f"cannot be read ({type(error).__name__})"


def main(limit_s: float) -> None:
    """Serve until standard input ends. Says `ready` first."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # parsers print; replies have a channel of their own
    compare("x", "x")  # what is imported at first use is no pair's fault
    replies.write("ready\n")
    for line in sys.stdin:
        pairs = json.loads(line)
        if any(two_units(*pair) for pair in pairs):
            registry()  # takes a second, once; no pair's fault
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        found = [answered(*pair) for pair in pairs]
        signal.setitimer(signal.ITIMER_PROF, 0)
        replies.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
