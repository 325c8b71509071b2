"""Process that compares expressions with math-verify: `python -m shared.answers.worker`, one JSON line in, one out.

A comparison that takes too long, or too much memory, ends the process: the kernel's own timer fires whatever Python
or C code is running. It also bounds how long the process can outlive its parent; idle, it ends with its standard input.
"""

import json
import logging
import os
import resource
import signal
import sys
from typing import Any

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify
from sympy import Basic, Float
from sympy.core.function import AppliedUndef

from schemas.item import Agreement

MEMORY = 1 << 30
"""Bytes of address space."""
NEAR = 0.01
"""Relative distance within which an approximation is not called a different number."""

_CONFIG = [LatexExtractionConfig(boxed_match_priority=-1), ExprExtractionConfig()]


def compare(key: str, answer: str) -> Agreement:
    """Whether two LaTeX expressions are equal. What cannot be read, or told apart for sure, is `unsure`."""
    gold, given = (parse(f"${text}$", extraction_config=_CONFIG, parsing_timeout=None) for text in (key, answer))
    if not gold or not given or isinstance(gold[0], str) or isinstance(given[0], str):
        return "unsure"
    if verify(gold, given, timeout_seconds=None):
        return "yes"
    return "no" if _comparable(gold[0], given[0]) else "unsure"


def _comparable(key: Any, answer: Any) -> bool:
    """Whether "not shown equal" means "different": the same names and functions, nothing rounded, nothing misread.

    math-verify reads `i` and `e` as names now and then, so that an imaginary unit proves nothing.
    """
    if not isinstance(key, Basic) or not isinstance(answer, Basic):
        return False
    names = [{str(symbol) for symbol in side.free_symbols} for side in (key, answer)]
    functions = [{str(applied.func) for applied in side.atoms(AppliedUndef)} for side in (key, answer)]
    if names[0] != names[1] or functions[0] != functions[1] or names[0] & {"i", "e"}:
        return False
    if names[0] or not (key.is_number and answer.is_number):
        return True
    rounded = key.atoms(Float) or answer.atoms(Float)
    return not (rounded and abs(complex(key) - complex(answer)) <= NEAR * abs(complex(key)))


def main(limit_s: float) -> None:
    """Serve until standard input ends. Says `ready` first."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # parsers print; replies have a channel of their own
    replies.write("ready\n")
    for line in sys.stdin:
        key, answer = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        try:
            agrees = compare(key, answer)
        except Exception:  # noqa: BLE001 - sympy raises anything for what a model wrote
            agrees = "unsure"
        signal.setitimer(signal.ITIMER_REAL, 0)
        replies.write(f"{agrees}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
