"""What Compose, Prometheus, Alertmanager, the chart and `.env.example` say about services, made from the flow.

A file keeps its hand-written parts; what is generated is between two marks, or is the whole file.
"""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.codegen.settings_source import Setting, environment_value, own_settings
from schemas.config.models_config import CHAT_ROLES, ModelsConfig, simulated_model
from schemas.config.plan import Plan
from schemas.flow import FIXED_PARTITIONS, SERVICES, ServiceSpec, consumed_by

BEGIN, END = "flow: made by python -m schemas.export", "end of flow"
COMPOSE = Path("docker-compose.yml")
PROMETHEUS = Path("deploy/prometheus/prometheus.yml")
ALERTMANAGER = Path("deploy/alertmanager/alertmanager.yml")
CHART_ALERTMANAGER = Path("helm/chimera/files/alertmanager.yml")
CHART = Path("helm/chimera/files/flow.yaml")
CHART_ROLES = Path("helm/chimera/files/roles.yaml")
SIMULATED_MODELS = Path("deploy/compose/models.simulated.json")
VALUES_SCHEMA = Path("helm/chimera/values.schema.json")
ENVIRONMENT = Path(".env.example")

SHARED_SETTINGS = Path("shared/config/settings.py")
OUTSIDE_THE_FLOW = (
    ("console", Path("services/console/settings.py"), "CHIMERA_"),
    ("exporter", Path("services/exporter/settings.py"), "CHIMERA_"),
    ("simulator", Path("services/simulator/settings.py"), "CHIMERA_SIM_"),
    ("trainer; all set by docker-compose.yml", Path("trainer/settings.py"), "CHIMERA_"),
)


def documents(root: Path) -> dict[Path, str]:
    """Every file below `root` with a generated part, as it has to be."""
    regions = {
        COMPOSE: compose(),
        PROMETHEUS: scrape_names(),
        ALERTMANAGER: stalls_of_its_own(),
        CHART_ALERTMANAGER: stalls_of_its_own(),
        ENVIRONMENT: environment(root),
    }
    made = {root / path: with_region((root / path).read_text(), body) for path, body in regions.items()}
    return made | {
        root / CHART: chart(root),
        root / CHART_ROLES: roles(),
        root / SIMULATED_MODELS: simulated_models(),
        root / VALUES_SCHEMA: values_schema((root / VALUES_SCHEMA).read_text(), prompt_names(root)),
    }


def with_region(text: str, body: str) -> str:
    """`text` with `body` between its two marks, indented as they are. Raises ValueError without marks."""
    lines = text.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.strip() == f"# {BEGIN}")
    end = next(i for i, line in enumerate(lines) if line.strip() == f"# {END}")
    indent = lines[begin].split("#")[0]
    inside = [f"{indent}{line}" if line else "" for line in body.splitlines()]
    return "\n".join([*lines[: begin + 1], *inside, *lines[end:], ""])


def compose() -> str:
    """One Compose service for each service of the flow."""
    return "\n".join(_compose_service(spec) for spec in SERVICES)


def _compose_service(spec: ServiceSpec) -> str:
    lines = [f"{spec.name}:", "  <<: *chimera", f"  command: [services.{spec.module}]"]
    if spec.name != spec.module:
        lines.append(f"  environment: {{<<: *environment, CHIMERA_SERVICE: {spec.name}}}")
    if spec.models:
        lines.append("  env_file: *keys")
    if spec.name == "aggregator":  # the one that writes the dataset
        lines.append("  env_file: *store")
    return "\n".join([*lines, ""])


def scrape_names() -> str:
    """DNS names that Prometheus looks up."""
    return "\n".join(f"- {spec.name}" for spec in SERVICES)


def stalls_of_its_own() -> str:
    """Matcher of services whose stall no endpoint explains: those that need no model for every event."""
    own = "|".join(spec.name for spec in SERVICES if not spec.needs_models)
    return f'- service!~"{own}"'


def chart(root: Path) -> str:
    """What the chart knows of each service; `services` of its values adds to it or overrides it."""
    lines = [f"# {BEGIN}"]
    for spec in SERVICES:
        topics = ", ".join(flow.name for flow in consumed_by(spec.name))
        lines += [f"{spec.name}:", f"  module: {spec.module}", f"  kafkaTopics: [{topics}]"]
        lines += ["  sole: true"] if spec.single_active else []
        if not spec.single_active and (
            fixed := {FIXED_PARTITIONS.get(flow.name, 0) for flow in consumed_by(spec.name)}
        ) != {0}:
            lines.append(f"  partitions: {max(fixed)}")
        lines += ["  models: true"] if spec.models else []
        lines.append(f"  plan: [{', '.join(spec.plan)}]")
        settings = own_settings(root / "services" / spec.module / "settings.py")
        lines += [f"  inFlight: {environment_value(one)}" for one in settings if one.name == "in_flight"]
    return "\n".join([*lines, ""])


def roles() -> str:
    """The roles that the simulator plays in the chart."""
    return f"# {BEGIN}\n{json.dumps(CHAT_ROLES)}\n"


def simulated_models() -> str:
    """The models file of Compose, with which the simulator has every role."""
    endpoint = {"base_url": "http://simulator:8100/v1", "simulated": True}
    models = {role: {"endpoint": "simulator", "model": simulated_model(role)} for role in CHAT_ROLES}
    return json.dumps({"endpoints": {"simulator": endpoint}, "roles": models}, indent=1) + "\n"


def prompt_names(root: Path) -> list[str]:
    """The names of the shipped prompts."""
    return sorted(path.stem for package in ("services", "shared") for path in (root / package).glob("*/prompts/*.md"))


def values_schema(text: str, prompts: list[str]) -> str:
    """The schema of the chart's values, with those of a plan, a models file, prompts and roles, a line each."""
    own = [line for line in text.splitlines() if not re.match(r' +"(?:plan|models)-\w+": ', line)]
    at = own.index(' "$defs": {') + 1
    made = {**_definitions("plan", Plan), **_definitions("models", ModelsConfig)}
    made |= {"models-prompts": {"enum": prompts}, "models-roles": {"enum": CHAT_ROLES}}
    made["models-Endpoint"]["properties"]["at_once"] = {"type": "integer", "minimum": 1}  # the earlier key
    lines = [f"  {json.dumps(name)}: {json.dumps(definition)}," for name, definition in made.items()]
    return "\n".join([*own[:at], *lines, *own[at:], ""])


def _definitions(prefix: str, model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON Schema, and those that it refers to, by names that begin with the prefix."""
    schema = json.loads(json.dumps(model.model_json_schema()).replace("#/$defs/", f"#/$defs/{prefix}-"))
    parts = schema.pop("$defs", {})
    return {f"{prefix}-file": schema, **{f"{prefix}-{name}": part for name, part in parts.items()}}


def environment(root: Path) -> str:
    """Every variable with its explanation and default: shared ones, those that Compose sets, those of one service."""
    by_compose = set((root / COMPOSE).read_text().partition("x-vllm")[0].split("environment: &environment")[1].split())
    shared = own_settings(root / SHARED_SETTINGS)
    set_by_compose = {f"{name}:" for name in ("CHIMERA_SERVICE",)} | by_compose
    parts = ["# --- Every service; those that docker-compose.yml sets itself are left out there", ""]
    parts += [_variable(one, "CHIMERA_") for one in shared if f"{_name(one, 'CHIMERA_')}:" not in set_by_compose]
    parts += [
        "# Collector that takes traces by OTLP over HTTP, such as http://collector:4318; none, no traces.",
        "#OTEL_EXPORTER_OTLP_ENDPOINT=",
        "",
        "# --- Set by docker-compose.yml; for processes without it",
        "",
    ]
    parts += [_variable(one, "CHIMERA_") for one in shared if f"{_name(one, 'CHIMERA_')}:" in set_by_compose]
    folders = {spec.module: root / "services" / spec.module / "settings.py" for spec in SERVICES}
    kinds = [(name, path, "CHIMERA_") for name, path in folders.items()]
    seen = {_name(one, "CHIMERA_") for one in shared}
    for name, path, prefix in [*kinds, *((name, root / path, prefix) for name, path, prefix in OUTSIDE_THE_FLOW)]:
        if own := [one for one in own_settings(path) if one.explanation and _name(one, prefix) not in seen]:
            parts += [f"# --- Only {name}", "", *(_variable(one, prefix) for one in own)]
    return "\n".join(parts).rstrip()


def _name(setting: Setting, prefix: str) -> str:
    return f"{prefix}{setting.name.upper()}"


def _variable(setting: Setting, prefix: str) -> str:
    return f"# {setting.explanation}\n#{_name(setting, prefix)}={environment_value(setting)}\n"
