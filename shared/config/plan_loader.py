"""Reads a plan."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.config.plan import SUBJECTS, Plan
from shared.config.file_loader import FileKind, Finding, did_you_mean


def load_plan(path: Path) -> Plan:
    """The plan in a YAML file, its paths resolved. Raises Refusal with one line per mistake."""
    plan, folder = PLAN.read(path), path.resolve().parent
    found = {name: one.model_copy(update={"path": folder / one.path}) for name, one in plan.benchmarks.items()}
    return plan.model_copy(update={"benchmarks": found})


def _unknown_subjects(data: dict[str, Any]) -> Iterator[Finding]:
    """The rule is the schema's; here it gets its line."""
    subjects = data.get("subjects")
    for name, subject in subjects.items() if isinstance(subjects, dict) else ():
        described = isinstance(subject, dict) and subject.get("about")
        if name not in SUBJECTS and not described:
            hint = did_you_mean(str(name), SUBJECTS) or f"; there are {', '.join(SUBJECTS)}."
            yield ("subjects", str(name)), f"unknown subject{hint} Or say what it means with `about:`"


PLAN = FileKind(Plan, "plan", "a mapping with name, rows and subjects", "--plan", _unknown_subjects)
