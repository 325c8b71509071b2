"""Dashboards, rules, routes and Compose say what the code says."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import shared.metrics  # noqa: F401 - fills the registry
from deploy.grafana.boards import BOARDS
from deploy.prometheus.tried import FOREIGN, metrics, panels, rules
from schemas.export import ROOT
from schemas.flow import SERVICES
from services.simulator.metrics import registry

RULES = ROOT / "deploy/prometheus/rules/chimera.yaml"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if rule.get("alert")]
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")


def known() -> set[str]:
    ours = {metric.name for one in (REGISTRY, registry([])) for metric in one.collect()}
    return ours | {name for name, _ in rules() if ":" in name} | {"up"}


@pytest.mark.parametrize(("where", "expr"), [*panels(), *rules()])
def test_every_metric_of_a_panel_or_rule_is_in_the_catalogue(where: str, expr: str) -> None:
    names = {name for name in metrics(expr) if not FOREIGN.match(name)}
    assert {name for name in names if name not in known() and SUFFIX.sub("", name) not in known()} == set(), where


def test_every_alert_has_a_severity_a_runbook_entry_and_cases_that_fire_and_that_do_not() -> None:
    entries = {f"docs/runbook.md#{name.lower()}" for name in re.findall(r"^## (\w+)", text("docs/runbook.md"), re.M)}
    cases = [case["name"].split(":")[0] for case in yaml.safe_load(text("deploy/prometheus/tests.yaml"))["tests"]]
    for alert in ALERTS:
        name = alert["alert"].removeprefix("Chimera")
        assert alert["labels"]["severity"] in ("critical", "warning", "none")
        assert alert["annotations"]["runbook_url"] in entries, f"{name} has no entry"
        assert f"{name} fires" in cases
        assert f"{name} is silent" in cases or name == "Watchdog"
    assert len(entries) == len(ALERTS), "an entry without an alert"


def test_committed_dashboards_hold_every_panel_with_a_title_a_description_and_a_unit() -> None:
    for board in BOARDS:
        made = json.loads(text(f"deploy/grafana/dashboards/{board.name}.json"))
        found = [(panel["title"], panel["fieldConfig"]["defaults"]["unit"]) for panel in made["panels"]]
        assert found == [(panel.title, panel.unit) for panel in board.panels]
        assert all(panel["description"] for panel in made["panels"])
        assert [one["type"] for one in made["templating"]["list"]] == ["datasource"]


def test_prometheus_scrapes_every_service() -> None:
    jobs = yaml.safe_load(text("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    assert jobs[0]["dns_sd_configs"][0]["names"] == [service.name for service in SERVICES]


def text(path: str | Path) -> str:
    return (ROOT / path).read_text()
