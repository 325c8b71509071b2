"""Renders the chart for a file of values and a version of Kubernetes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm/chimera"
SETS = sorted((CHART / "ci").glob("*.yaml"))
VERSIONS = ("1.29", "1.33", "1.37")
"""The oldest supported version, a common one, and the newest with published schemas."""
APIS = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1", "monitoring.coreos.com/v1alpha1")

Object = dict[str, Any]


class Failed(Exception):
    """Helm failed."""


def helm(*arguments: str) -> str:
    """Run helm and return its output. Raises Failed with its message."""
    program = Path(sys.executable).parent / "helm"
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{done.stdout}{done.stderr}".strip())
    return done.stdout


def render(values: Path, version: str = VERSIONS[-1], *more: str, apis: tuple[str, ...] = APIS) -> list[Object]:
    """Return every rendered object. Raises Failed."""
    there = [f"--api-versions={api}" for api in apis]
    text = helm("template", "chimera", str(CHART), f"--values={values}", f"--kube-version={version}", *there, *more)
    return [one for one in yaml.safe_load_all(text) if one]


def pods(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    """Yield every object with a pod template, and that template."""
    for one in objects:
        spec = one.get("spec") or {}
        job = spec.get("jobTargetRef") or spec.get("jobTemplate", {}).get("spec", {})
        if pod := spec.get("template") or job.get("template"):
            yield one, pod


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Return whether a label selector matches the labels."""
    rules = selector.get("matchExpressions", [])
    named = selector.get("matchLabels", {}) if "matchLabels" in selector or rules else selector
    return named.items() <= labels.items() and all(labels.get(rule["key"]) in rule["values"] for rule in rules)
