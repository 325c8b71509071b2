"""Runs every check of the chart:  python -m tests.ops.chart.check

helm lint and template, strict schemas of Kubernetes and of the custom resources (a kind without one is a failure),
our own invariants; and values that must be refused, by their name, or that these checks must find.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate.utils as kubernetes
import yaml

from tests.ops.chart import changes
from tests.ops.chart.crds import FILE
from tests.ops.chart.invariants import broken, name
from tests.ops.chart.render import APIS, CHART, ROOT, SETS, VERSIONS, Failed, Object, helm, render

WRONG = yaml.safe_load((Path(__file__).parent / "invalid_values.yaml").read_text())

kubernetes.schema_contents = cache(kubernetes.schema_contents)  # or each object reads megabytes again


def main() -> int:
    """Print failures; return the exit status."""
    wrong = 0
    for what, found in findings():
        print(f"{'FAIL' if found else 'ok  '}  {what}")  # noqa: T201
        for line in found:
            print(f"      {line}", file=sys.stderr)  # noqa: T201
        wrong += len(found)
    return 1 if wrong else 0


def findings() -> Iterator[tuple[str, list[str]]]:
    """Yield every check with its findings."""
    for values in SETS:
        yield f"helm lint {values.name}", list(_lint(values))
        for version in VERSIONS:
            yield f"{values.name} on Kubernetes {version}", list(_rendered(values, version))
    for file in sorted((ROOT / "deploy/kubernetes/examples").glob("*.yaml")):
        for version in VERSIONS:
            found = [line for one in yaml.safe_load_all(file.read_text()) for line in _invalid(one, version)]
            yield f"{file.name} on Kubernetes {version}", found
    yield from changes.findings()
    yield "own prompts are rendered byte for byte", list(_changed_prompts(CHART / "ci/production.yaml"))
    for case in WRONG:
        yield f"refused: {case['why']}" if "says" in case else f"found: {case['why']}", list(_missed(case))


def _lint(values: Path) -> Iterator[str]:
    try:
        helm("lint", "--strict", "--quiet", str(CHART), f"--values={values}")
    except Failed as error:
        if not _lacks_apis(str(error)):
            yield str(error)


def _lacks_apis(output: str) -> bool:
    """`helm lint` does not support custom resources."""
    return "this cluster has no" in output and output.count("[ERROR]") == 1


def _rendered(values: Path, version: str) -> Iterator[str]:
    try:
        yield from _bad(render(values, version), version)
    except Failed as error:
        yield str(error)


def _changed_prompts(values: Path) -> Iterator[str]:
    given = {f"{key}.md": text for key, text in yaml.safe_load(values.read_text())["models"]["prompts"].items()}
    maps = [one for one in render(values) if one["kind"] == "ConfigMap"]
    if given not in [one.get("data") for one in maps]:
        yield f"no ConfigMap holds {given}"


def _bad(objects: list[Object], version: str) -> Iterator[str]:
    for one in objects:
        yield from _invalid(one, version)
    yield from broken(objects)


def _invalid(one: Object, version: str) -> Iterator[str]:
    crds: dict[str, Any] = json.loads(FILE.read_text())
    try:
        if crd := crds.get(f"{one['apiVersion']}/{one['kind']}"):
            jsonschema.validate(one["spec"], crd["spec"])
            if one["kind"] == "ScaledJob":
                job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": one["spec"]["jobTargetRef"]}
                kubernetes.validate(job, version, strict=True)
        else:
            kubernetes.validate(one, version, strict=True)
    except kubernetes.SchemaNotFoundError as error:
        yield f"{name(one)}: {error.message}"
    except jsonschema.ValidationError as error:
        yield f"{name(one)}: {error.json_path}: {error.message}"


def _missed(case: dict[str, Any]) -> Iterator[str]:
    """Invalid values must not render, or must be found by the checks, with a message that names them."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(case["values"], file)
        file.flush()
        base, apis = (
            CHART / "ci" / f"{case.get('set', 'minimal')}.yaml",
            APIS if "finds" in case else case.get("apis", ()),
        )
        try:
            objects, output = render(base, VERSIONS[-1], f"--values={file.name}", apis=tuple(apis)), ""
        except Failed as error:
            objects, output = [], str(error)
    if "finds" in case and objects:
        output = "\n".join(_bad(objects, VERSIONS[-1]))
    wanted = case["finds" if "finds" in case else "says"]
    if any(word not in output for word in wanted):
        yield f"says {output or 'nothing'}, not {wanted}"


if __name__ == "__main__":
    sys.exit(main())
