"""The chart says what the code says. What needs helm is in tests/ops/chart/check.py."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from schemas.codegen.export import ROOT
from schemas.config.plan import Plan
from schemas.flow import BY_TYPE, SERVICES, consumed_by
from services.console.settings import Settings as Console
from services.exporter.settings import Settings as Exporter
from services.simulator.settings import Settings as Simulator
from shared.config.settings import Settings
from shared.llm.prompts import shipped_prompts
from tests.ops import explain_pods
from tests.ops.lag_plot import Sample, draw

CHART = ROOT / "helm/chimera"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
DECLARED = yaml.safe_load((CHART / "files/flow.yaml").read_text())
for name, own in VALUES["services"].items():
    DECLARED[name] = {**DECLARED.get(name, {}), **own}
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
OUTSIDE = {"console", "exporter", "simulator"}
"""Folders in services/ that run in a cluster and are no part of the flow."""
TRAINER = {"CHIMERA_RECIPE", "CHIMERA_RUNS", "CHIMERA_JUDGE"}
"""Settings of the trainer alone."""
UNSET = {".global", ".keda.authenticationRef.name", ".keda.authenticationRef.kind"}
"""Keys without a default."""


def service(name: str) -> dict[str, Any]:
    return {**VALUES["defaults"], **DECLARED[name]}


def module(name: str) -> str:
    return str(service(name).get("module", name))


def test_the_chart_has_the_services_of_the_flow_with_their_limits() -> None:
    assert DECLARED.keys() == {spec.name for spec in SERVICES} | OUTSIDE
    for spec in SERVICES:
        output, consumed = service(spec.name), consumed_by(spec.name)
        assert module(spec.name) == spec.module
        assert output["kafkaTopics"] == [flow.name for flow in consumed], spec.name
        assert output.get("sole", False) == spec.single_active
        assert output["partitions"] == max(BY_TYPE[name].partitions for name in output["kafkaTopics"])
        assert output["scaling"]["max"] <= output["partitions"]
    assert all(not service(name).get("kafkaTopics") for name in OUTSIDE)


def test_the_chart_takes_a_prompt_for_each_shipped_one() -> None:
    prompts = SCHEMA["properties"]["models"]["properties"]["prompts"]
    assert prompts["propertyNames"] == {"$ref": "#/$defs/models-prompts"}
    assert SCHEMA["$defs"]["models-prompts"]["enum"] == sorted(path.stem for path in shipped_prompts())


def test_the_chart_says_who_calls_models_and_who_writes_the_dataset() -> None:
    for spec in SERVICES:
        wiring = (ROOT / "services" / spec.module / "__main__.py").read_text()
        assert service(spec.name).get("models", False) == ("Models.of(settings)" in wiring), spec.name
        assert service(spec.name).get("dataset", False) == ("settings.dataset" in wiring), spec.name


def test_the_flow_says_what_a_service_reads_of_the_plan() -> None:
    for spec in SERVICES:
        wiring = (ROOT / "services" / spec.module / "__main__.py").read_text()
        read = set(re.findall(r"(?:\bplan|load_plan\(settings\.plan\))\.(\w+)", wiring))
        read |= {"budget", "language"} if "Models.of(settings)" in wiring else set()
        named = {"candidates": "subjects"}
        assert spec.single_active or set(spec.plan) == {named.get(one, one) for one in read}, spec.name


def test_the_chart_assumes_as_many_problems_in_progress_as_the_plan() -> None:
    default = Plan.model_fields["in_progress"].default
    assert f".Values.plan.in_progress | default {default} " in (CHART / "templates/_helpers.tpl").read_text()


def test_the_chart_keeps_the_concurrency_of_each_services_settings() -> None:
    for spec in SERVICES:
        own = importlib.import_module(f"services.{spec.module}.settings").Settings
        assert service(spec.name)["inFlight"] == own.model_fields["in_flight"].default, spec.name


def test_every_variable_of_the_chart_is_a_setting() -> None:
    services = (importlib.import_module(f"services.{s.module}.settings").Settings for s in SERVICES)
    kinds = [Settings, Exporter, Console, *services]
    settings = {f"CHIMERA_{name.upper()}" for kind in kinds for name in kind.model_fields}
    settings |= {f"CHIMERA_SIM_{name.upper()}" for name in Simulator.model_fields}
    for path in [*CHART.rglob("*.yaml"), *CHART.rglob("*.tpl"), *(ROOT / "deploy/kubernetes").glob("*.yaml")]:
        assert set(re.findall(r"CHIMERA_[A-Z_]*[A-Z]", path.read_text())) <= settings | TRAINER, path


def test_ports_paths_and_user_are_those_of_the_code_and_the_image() -> None:
    routes = set(re.findall(r'add_get\("(/\w+)"', (ROOT / "shared/runtime/health.py").read_text()))
    assert {VALUES["defaults"]["livePath"], VALUES["defaults"]["readyPath"], "/metrics"} == routes
    assert VALUES["defaults"]["port"] == Settings.model_fields["health_port"].default
    assert service("simulator")["port"] == Simulator.model_fields["port"].default
    assert service("simulator")["readyPath"] in (ROOT / "services/simulator/api/server.py").read_text()
    image = (ROOT / "deploy/docker/Dockerfile").read_text()
    ids = VALUES["podSecurityContext"]
    assert f"USER {ids['runAsUser']}:{ids['runAsGroup']}" in image


def test_rules_and_dashboards_of_the_chart_are_those_of_deploy() -> None:
    folders = (("dashboards", "deploy/grafana/dashboards"), ("rules", "deploy/prometheus/rules"))
    inhibitions = (CHART / "files/alertmanager.yml", ROOT / "deploy/alertmanager/alertmanager.yml")
    assert len({path.read_text() for path in inhibitions}) == 1, "Next step: make dashboards"
    for copies, originals in folders:
        assert texts(CHART / "files" / copies) == texts(ROOT / originals), "Next step: make dashboards"


def test_every_key_of_the_schema_is_in_the_values_with_its_default() -> None:
    assert missing(SCHEMA, VALUES, "") == []


def missing(schema: dict[str, Any], values: dict[str, Any], where: str) -> list[str]:
    found = []
    for name, part in schema.get("properties", {}).items():
        if name not in values:
            found.append(f"{where}.{name}")
        elif isinstance(values[name], dict):
            found += missing(part, values[name], f"{where}.{name}")
    return [name for name in found if name not in UNSET]


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_new_service_is_at_most_fifteen_lines_of_values() -> None:
    (diff,) = re.findall(r"```diff\n(.*?)```", (ROOT / "docs/how-to/kubernetes.md").read_text(), re.DOTALL)
    added = [line[1:] for line in diff.splitlines() if line.startswith("+")]
    (values,) = yaml.safe_load("services:\n" + "\n".join(added))["services"].values()
    assert len(added) <= 15
    assert values.keys() <= SCHEMA["properties"]["services"]["additionalProperties"]["properties"].keys()


def test_the_image_has_what_the_chart_runs_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=\[]", one)[0] for one in project["optional-dependencies"]["local"]}
    script = f"import sys; sys.modules.update(dict.fromkeys({sorted(names)})); import services.cli.__main__"
    for command in ("kafka create", "check kafka", "check models"):
        run = f"{script} as cli; sys.argv = {['chimera', *command.split(), '--help']}; cli.main()"
        done = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    image = (ROOT / "deploy/docker/Dockerfile").read_text()
    assert all(f"COPY {folder} " in image for folder in ("schemas", "shared", "services", "deploy/local"))


def test_what_kubectl_says_is_reported_by_pod_and_by_secret() -> None:
    dead = {"terminated": {"reason": "Error", "message": "Kafka refuses user planner\n"}}
    pod = {"metadata": {"name": "planner"}, "status": {"containerStatuses": [{"ready": False, "lastState": dead}]}}
    well = {"metadata": {"name": "probe"}, "status": {"containerStatuses": [{"ready": True}]}}
    assert list(explain_pods.unready([pod, well])) == ["planner: Error Kafka refuses user planner"]
    objects = [
        {"secret": {"name": "a", "items": [{"key": "x", "path": "password"}]}},
        {"secret": {"secretName": "b"}},
        {
            "envFrom": [{"secretRef": {"name": "c"}}],
            "env": [{"valueFrom": {"secretKeyRef": {"name": "d", "key": "y"}}}],
        },
        {"secretTargetRef": [{"parameter": "password", "name": "e", "key": "z"}]},
    ]
    assert list(explain_pods.secrets(objects)) == [("a", "x"), ("b", ""), ("c", ""), ("d", "y"), ("e", "z")]


def test_lag_and_replicas_are_plotted_even_when_nothing_happened() -> None:
    seen = [Sample(seconds, "probe", lag, lag // 4) for seconds, lag in ((0.0, 0), (3.0, 8), (6.0, 0))]
    for samples in ([], seen):
        assert len(ElementTree.fromstring(draw(samples, ("probe", "panel"))).findall("{*}polygon")) == 2  # noqa: S314 - ours
