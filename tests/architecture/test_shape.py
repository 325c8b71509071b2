"""What the folders promise: who may import whom, what a service is made of, who speaks which event."""

import ast
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from schemas import events
from schemas.codegen.export import ROOT
from schemas.flow import FLOW, SERVICE, SERVICES, consumed_by, produced_by

OURS = ("services", "shared", "schemas", "deploy", "trainer")
MODULES = sorted({service.module for service in SERVICES})
PLANTED = {
    "shared/planted.py": "import services.cli\n",
    "schemas/planted.py": "import yaml\n",
    "services/probe/planted.py": "import services.cli\nimport services.panel\nimport deploy.local\n"
    "import aiokafka\nimport torch\n",
    "services/probe/handler.py": "import redis\n",
}
"""Lines that break every contract."""


def test_a_planted_violation_breaks_each_import_contract(tmp_path: Path) -> None:
    for name in OURS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, lines in PLANTED.items():
        with (tmp_path / path).open("a") as file:
            file.write(lines)
    lint = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as lint; lint()"
    result = subprocess.run(
        [sys.executable, "-P", "-c", lint], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    contracts = (ROOT / "pyproject.toml").read_text().count("[[tool.importlinter.contracts]]")
    assert f"Contracts: 0 kept, {contracts} broken" in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_service_has_the_files_that_every_service_has(module: str) -> None:
    folder = ROOT / "services" / module
    assert {"__init__.py", "__main__.py", "handler.py", "settings.py", "README.md"} <= {
        p.name for p in folder.iterdir()
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_service_names_only_the_events_that_the_flow_gives_it(module: str) -> None:
    names = [service.name for service in SERVICES if service.module == module]
    flow = {f.event.__name__ for name in names for f in (*consumed_by(name), *produced_by(name))}
    consumed = {f.event.__name__ for name in names for f in consumed_by(name)}
    read_by_all = {f.event.__name__ for name in names for f in FLOW if f.name in SERVICE[name].reads} - flow
    by_runtime = {"ProblemParked", "AuditJudged", "ProblemReverified", "ProblemResolved", "ProblemReprobed"} - consumed
    nobody_yet = {f.event.__name__ for f in FLOW if not set(f.producers) & {*(s.name for s in SERVICES), "cli"}}
    spoken = {
        alias.name
        for path in (ROOT / "services" / module).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "schemas.events"
        for alias in node.names
        if alias.name in {f.event.__name__ for f in FLOW}
    }
    assert spoken - nobody_yet - read_by_all == flow - (by_runtime - spoken) - nobody_yet


def test_every_event_travels_on_exactly_one_kafka_topic() -> None:
    classes = {name for name in events.__all__ if name not in ("Cause", "Event", "ItemEvent", "ProblemEvent")}
    assert sorted(flow.event.__name__ for flow in FLOW) == sorted(classes)
    assert len({flow.name for flow in FLOW}) == len(FLOW)


def test_metrics_are_defined_in_the_catalogue_and_nowhere_else() -> None:
    makers = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
    elsewhere = [
        str(path.relative_to(ROOT))
        for name in OURS
        for path in (ROOT / name).rglob("*.py")
        if path != ROOT / "shared" / "telemetry" / "metrics.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("prometheus_client")
            and makers & {alias.name for alias in node.names}
        )
        or (isinstance(node, ast.Import) and any(alias.name.startswith("prometheus_client") for alias in node.names))
    ]
    assert elsewhere == []


def test_kafka_clients_are_made_in_one_place_each() -> None:
    """None is forgotten when access to the broker changes."""
    makers = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient", "create_conn", "App"}
    made = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "shared" / "kafka").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in makers
    }
    assert made == {f"shared/kafka/{name}.py" for name in ("clients", "connection", "faust/app")}


def test_no_other_installed_distribution_provides_our_names() -> None:
    providers = packages_distributions()
    assert {name: set(providers.get(name, ())) - {"chimera-factory"} for name in OURS} == {name: set() for name in OURS}
