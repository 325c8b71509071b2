"""Planted errors by kind: `(problem, rng) → the problem with the error`, or None where the kind does not apply.

key.py        wrong keys
statement.py  statements that lost a datum or a restriction
form.py       bad form, and prompt injection aimed at the judge
benchmark.py  questions of benchmarks

All are pure functions. A changed key may equal the old one in another form: the grader decides that.
"""

from collections.abc import Callable, Mapping
from random import Random

from schemas.item import Problem
from services.auditor.planted_errors.benchmark import BENCHMARK_ITEM, benchmark_items
from services.auditor.planted_errors.form import FORMS
from services.auditor.planted_errors.key import KEYS
from services.auditor.planted_errors.statement import OFF_TOPIC, STATEMENTS

Defect = Callable[[Problem, Random], Problem | None]

GROUPS: tuple[Mapping[str, Defect], ...] = (KEYS, STATEMENTS, FORMS)
"""Each group gets an equal share, independent of its size."""

__all__ = ["BENCHMARK_ITEM", "FORMS", "GROUPS", "KEYS", "OFF_TOPIC", "STATEMENTS", "Defect", "benchmark_items"]
