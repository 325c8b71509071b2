"""Dashboards, rules, routes and Compose say what the code says."""

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import shared.telemetry.metrics
from deploy.grafana.boards import BOARDS
from schemas.codegen.export import ROOT
from schemas.flow import SERVICES
from services.console.settings import Settings as Console
from services.exporter.settings import Settings as Exporter
from services.simulator.metrics import registry
from services.simulator.settings import Settings as Simulator
from shared.config.settings import Settings
from shared.llm import load_models_config
from shared.telemetry.traces import COLLECTORS
from tests.ops.queries import FOREIGN, metrics, panels, rules
from trainer.settings import Settings as Trainer

RULES = ROOT / "deploy/prometheus/rules/chimera.yaml"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if rule.get("alert")]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
LABELS = {
    label
    for metric in vars(shared.telemetry.metrics).values()
    if isinstance(metric, MetricWrapperBase)
    for label in metric._labelnames
}
FOREIGN_LABELS = {
    "le",
    "job",
    "factory",
    "process",
    "pod",
    "instance",
    "model_name",
    "fstype",
    "namespace",
    "persistentvolumeclaim",
    "horizontalpodautoscaler",
}
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")


def known() -> set[str]:
    ours = {metric.name for one in (REGISTRY, registry([])) for metric in one.collect()}
    return ours | {name for name, _ in rules() if ":" in name} | {"up"}


@pytest.mark.parametrize(("where", "expr"), [*panels(), *rules()])
def test_every_metric_of_a_panel_or_rule_is_in_the_catalogue(where: str, expr: str) -> None:
    names = {name for name in metrics(expr) if not FOREIGN.match(name)}
    assert {name for name in names if name not in known() and SUFFIX.sub("", name) not in known()} == set(), where


@pytest.mark.parametrize(("where", "expr"), [*panels(), *rules()])
def test_every_label_of_a_panel_or_rule_is_one_of_the_catalogue(where: str, expr: str) -> None:
    """PromQL takes any: a sum by a label that is not there is one line, and a panel with data."""
    matched = re.findall(r'(\w+)(?:=~|!~|!=|=)"', expr)
    grouped = [label for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expr) for label in labels.split(", ")]
    assert {*matched, *grouped} - {""} <= LABELS | FOREIGN_LABELS, where


def test_lines_are_named_by_labels_that_their_query_keeps() -> None:
    for query in (query for board in BOARDS for panel in board.panels for query in panel.queries):
        named = set(re.findall(r"{{(\w+)}}", query.legend))
        kept = {label for labels in re.findall(r"by \(([^)]*)\)", query.expr) for label in labels.split(", ")}
        assert ":" in query.expr.split("[")[0] or named <= kept, query


def test_every_alert_has_severity_runbook_and_firing_and_silent_cases() -> None:
    entries = {
        f"docs/how-to/runbook.md#{name.lower()}"
        for name in re.findall(r"^## (\w+)", text("docs/how-to/runbook.md"), re.M)
    }
    cases = [case["name"].split(":")[0] for case in yaml.safe_load(text("tests/ops/alert_tests.yaml"))["tests"]]
    for alert in ALERTS:
        name = alert["alert"].removeprefix("Chimera")
        assert alert["labels"]["severity"] in ("critical", "warning", "none")
        assert alert["annotations"]["runbook_url"] in entries, f"{name} has no entry"
        assert f"{name} fires" in cases
        assert f"{name} is silent" in cases or name == "Watchdog"
    assert len(entries) == len(ALERTS), "an entry without an alert"


def test_committed_dashboards_are_current_and_panels_have_title_and_unit() -> None:
    for board in BOARDS:
        made = json.loads(text(f"deploy/grafana/dashboards/{board.name}.json"))
        found = [(panel["title"], panel["fieldConfig"]["defaults"]["unit"]) for panel in made["panels"]]
        assert found == [(panel.title, panel.unit) for panel in board.panels]
        assert all(panel["description"] for panel in made["panels"])
        assert [one["name"] for one in made["templating"]["list"]] == ["datasource", *(v.name for v in board.variables)]
        assert [one["name"] for one in made["annotations"]["list"]] == ["Releases", "Trainings", "Deploys", "Alerts"]


def test_every_query_of_a_dashboard_reads_the_chosen_factory_alone() -> None:
    for board in BOARDS:
        made = json.loads(text(f"deploy/grafana/dashboards/{board.name}.json"))
        for expr in (target["expr"] for panel in made["panels"] for target in panel["targets"]):
            ours = {name for name in metrics(expr) if not name.startswith("vllm:")}
            narrowed = re.findall(r'([a-z0-9_:]+)\{factory=~"\$factory"', expr)
            assert ours == set(narrowed), expr
    by_service = {"chimera_events_total", "chimera_event_duration_seconds_bucket", "service:chimera_lag:sum"}
    services = text("deploy/grafana/dashboards/services.json")
    assert all(re.search(rf"{name}\{{[^}}]*service=~..\$service", services) for name in by_service)


def test_a_call_of_70_and_one_of_250_seconds_differ_in_the_dashboards() -> None:
    bounds = [float(bound) for bound in shared.telemetry.metrics.DURATION._kwargs["buckets"]]
    assert max(bound for bound in bounds if bound < 250) >= 2 * min(bound for bound in bounds if bound >= 70)


def test_a_limit_drawn_in_a_panel_is_one_of_an_alert() -> None:
    bounds = {float(number) for alert in ALERTS for number in re.findall(r"(?:>=?|==) ([\d.]+)", alert["expr"])}
    limits = {panel.limit for board in BOARDS for panel in board.panels if panel.limit is not None}
    assert limits
    assert limits <= bounds


def test_panels_fill_the_24_columns_without_gap_or_overlap() -> None:
    for board in BOARDS:
        places = [
            panel["gridPos"] for panel in json.loads(text(f"deploy/grafana/dashboards/{board.name}.json"))["panels"]
        ]
        covered = {
            (x, y)
            for at in places
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert sum(at["w"] * at["h"] for at in places) == len(covered), board.name
        assert len(covered) == 24 * max(at["y"] + at["h"] for at in places), board.name
        assert {x for x, _ in covered} == set(range(24)), board.name


def test_prometheus_scrapes_every_service() -> None:
    jobs = yaml.safe_load(text("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    assert jobs[0]["dns_sd_configs"][0]["names"] == [*(service.name for service in SERVICES), "trainer"]


def test_compose_runs_every_service_of_the_flow_at_its_scraped_address() -> None:
    modules = {service.name: [f"services.{service.module}"] for service in SERVICES}
    assert {name: COMPOSE[name]["command"] for name in modules} == modules
    output = {
        name: one["environment"].get("CHIMERA_SERVICE", one["command"][0][9:])
        for name, one in COMPOSE.items()
        if name in modules
    }
    assert output == {name: name for name in modules}
    for file in ("simulated", "vllm"):
        cast = load_models_config(ROOT / f"deploy/compose/models.{file}.json")
        assert {place.base_url.split("/")[2].split(":")[0] for place in cast.endpoints.values()} <= COMPOSE.keys()
        assert {place.base_url.split("/")[2].split(":")[1] for place in cast.endpoints.values()} <= {"8100", "8000"}
    looked_for = re.findall(r"names: \[(.*)\]", text("deploy/prometheus/prometheus.yml"))
    assert {name for names in looked_for for name in names.split(", ")} <= COMPOSE.keys()


def test_every_variable_is_a_setting_with_its_default_in_the_example() -> None:
    kinds = [importlib.import_module(f"services.{one.module}.settings").Settings for one in SERVICES]
    settings = {
        f"CHIMERA_{name.upper()}": field
        for kind in [Trainer, Settings, Exporter, Console, *kinds]
        for name, field in kind.model_fields.items()
    }
    settings |= {f"CHIMERA_SIM_{name.upper()}": field for name, field in Simulator.model_fields.items()}
    written = {name for one in COMPOSE.values() for name in one.get("environment") or {} if name.startswith("CHIMERA_")}
    assert written <= settings.keys()
    requested = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text("docker-compose.yml")))
    example = dict(re.findall(r"^#(\w+)=(.*)$", text(".env.example"), re.M))
    assert example.keys() == settings.keys() | requested.keys() | {COLLECTORS[0]}
    own = requested.keys() - settings.keys()  # a setting has the default of a process without Compose
    assert {name: example[name] for name in own} == {name: requested[name] for name in own}
    for name, field in settings.items():
        if isinstance(field.default, bool | int | float) and name not in requested:
            assert json.loads(example[name]) == field.default, name


def test_every_model_server_and_the_trainer_have_a_gpu_of_their_own() -> None:
    reserved = {
        name: one["deploy"]["resources"]["reservations"]["devices"] for name, one in COMPOSE.items() if "deploy" in one
    }
    assert {name for name in COMPOSE if name.startswith("vllm-")} | {"trainer"} == reserved.keys()
    gpus = [device for devices in reserved.values() for one in devices for device in one["device_ids"]]
    defaults = [re.fullmatch(r"\$\{GPU_\w+:-(\d)\}", gpu) for gpu in gpus]
    assert sorted(found[1] for found in defaults if found) == ["0", "1", "2", "3", "4", "5"]


def test_no_setting_of_one_service_is_a_setting_of_another() -> None:
    owners: dict[str, set[str]] = {}
    for module in {spec.module for spec in SERVICES} | {"exporter", "grader"}:
        fields = importlib.import_module(f"services.{module}.settings").Settings.model_fields
        for name in fields.keys() - Settings.model_fields.keys():
            owners.setdefault(name, set()).add(module)
    assert {name: modules for name, modules in owners.items() if len(modules) > 1 and name != "health_port"} == {}


def text(path: str | Path) -> str:
    return (ROOT / path).read_text()
