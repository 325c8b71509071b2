"""What can be wrong with a problem, by kind: `(problem, dice) → the broken problem`, or None where it does not apply.

Pure: the same dice break the same problem in the same way. An answer that was broken is not yet shown to be another
one: the grader has the last word.
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
"""Each group gets an equal share, whatever its size."""

__all__ = ["BENCHMARK_ITEM", "FORMS", "GROUPS", "KEYS", "OFF_TOPIC", "STATEMENTS", "Defect", "benchmark_items"]
