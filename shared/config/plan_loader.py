"""Loads the plan."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.config.plan import SUBJECTS, Plan
from shared.config.file_loader import FileKind, Finding, did_you_mean


def load_plan(path: Path) -> Plan:
    """Load a plan from a YAML file, with absolute paths. Raises Refusal with one line per mistake."""
    plan, folder = PLAN.read(path), path.resolve().parent
    benchmarks = {name: one.model_copy(update={"path": folder / one.path}) for name, one in plan.benchmarks.items()}
    return plan.model_copy(update={"benchmarks": benchmarks})


def _unknown_subjects(data: dict[str, Any]) -> Iterator[Finding]:
    """Check the rule of the schema again, to report its line."""
    subjects = data.get("subjects")
    for name, subject in subjects.items() if isinstance(subjects, dict) else ():
        described = isinstance(subject, dict) and subject.get("about")
        if name not in SUBJECTS and not described:
            hint = did_you_mean(str(name), SUBJECTS) or f"; the known ones are {', '.join(SUBJECTS)}."
            yield ("subjects", str(name)), f"unknown subject{hint} Or describe it with `about:`"


PLAN = FileKind(Plan, "plan", "a mapping with name, rows and subjects", "--plan", _unknown_subjects)
