"""A model role is declared once, in `schemas.config.models_config.Roles`. Every list of roles agrees with it."""

import json
import re
from itertools import chain
from pathlib import Path

import yaml

from schemas.config.models_config import CHAT_ROLES, MUST_DIFFER, ROLES
from schemas.config.plan import Plan
from schemas.flow import SERVICE
from services.cli.check.forecast import assumed
from services.cli.check.trials import TRIALS, trials
from services.cli.common.models_config import simulated
from services.simulator.settings import ABILITIES
from shared.llm import load_models_config


def test_the_services_of_roles_are_those_that_the_flow_gives_models() -> None:
    callers = set(chain.from_iterable(role.services for role in ROLES.values()))
    assert callers == {name for name, service in SERVICE.items() if service.models}
    assert set(chain.from_iterable(MUST_DIFFER)) <= set(ROLES)


def test_services_request_only_declared_roles() -> None:
    code = "\n".join(path.read_text() for folder in ("services", "shared") for path in Path(folder).rglob("*.py"))
    requested = set(re.findall(r"\b(?:models\.model|role_model|is_assigned)\((?:\w+\.\w+, )?\"(\w+)\"", code))
    assert requested
    assert requested <= set(ROLES)


def test_the_command_line_knows_every_chat_role() -> None:
    all_used = {"solving": {"probe_attempts": 1}, "verification": {"target_wrong": {"sft": 0.02}, "adjudications": 4}}
    plan = Plan.model_validate({"name": "p", "rows": 1, "subjects": {"physics": {}}, **all_used})
    assert set(assumed(plan).profiles) == set(simulated(0).assigned()) == set(CHAT_ROLES)
    assert set(chain.from_iterable(ROLES[role].services for role in CHAT_ROLES if role != "judge")) >= set(TRIALS)
    assert [role for role in CHAT_ROLES if not trials(role)] == []
    assert {model.model for model in simulated(0).assigned().values()} <= set(ABILITIES)


def test_the_default_models_of_compose_all_differ() -> None:
    defaults = re.findall(r"\$\{VLLM_\w+:-([\w-]+/[\w.-]+)\}", Path("docker-compose.yml").read_text())
    assert len(set(defaults)) == len(defaults) == 5
    assert re.findall(r"#VLLM_\w+=([\w-]+/[\w.-]+)", Path(".env.example").read_text()) == defaults


def test_the_deployments_know_every_chat_role() -> None:
    assert set(load_models_config(Path("deploy/compose/models.simulated.json")).assigned()) == set(CHAT_ROLES)
    values = json.loads(Path("helm/chimera/values.schema.json").read_text())
    plays = values["properties"]["vllm"]["properties"]["servers"]["additionalProperties"]["properties"]["plays"]
    assert plays["items"] == {"$ref": "#/$defs/models-roles"}
    assert values["$defs"]["models-roles"]["enum"] == list(CHAT_ROLES)
    assert yaml.safe_load(Path("helm/chimera/files/roles.yaml").read_text()) == list(CHAT_ROLES)
    assert [role for role in ROLES if f"`{role}`" not in Path("docs/how-to/models.md").read_text()] == []
