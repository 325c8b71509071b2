"""`chimera plan apply FILE`: gives a running stack another plan."""

import asyncio
import json
from pathlib import Path

import typer

from deploy.local import control_socket
from deploy.local.state_file import StateFile
from schemas.config.plan import Plan
from schemas.flow import SERVICES
from services.cli.common import models_config
from shared.config.plan_loader import load_plan
from shared.errors import Refusal
from shared.llm.plan_budget import check_budget


def apply(directory: Path, plan: Plan, *, as_json: bool) -> None:
    """Write the plan; planner and aggregator follow it, services that read a changed section are started again.

    Raises Refusal when nothing runs in the folder, or the budget does not fit the models.
    """
    if not StateFile.read(directory).up:
        raise Refusal(f"nothing runs in {directory}", "Start it with `chimera up --plan FILE`")
    before = load_plan(directory / "plan.yaml")
    if models := models_config.load_previous(directory):
        check_budget(plan.budget, models)
    names = readers(before, plan)
    models_config.write_plan(directory, plan)
    restarted = asyncio.run(control_socket.request(directory, {"restart": names})) if names else []
    if as_json:
        print(json.dumps({"changed": changed_keys(before, plan), "restarted": restarted}))  # noqa: T201
        return
    for line in describe(changed_keys(before, plan), restarted):
        typer.echo(line)


def changed_keys(before: Plan, after: Plan) -> list[str]:
    """Return the keys of the plan that differ."""
    return [name for name in Plan.model_fields if getattr(before, name) != getattr(after, name)]


def readers(before: Plan, after: Plan) -> list[str]:
    """Return the services that read a section at their start which differs."""
    differ = {
        name for name in changed_keys(before, after) if _read_at_start(before, name) != _read_at_start(after, name)
    }
    return [spec.name for spec in SERVICES if differ & set(spec.plan)]


def _read_at_start(plan: Plan, key: str) -> object:
    match key:
        case "subjects":
            return set(plan.subjects)
        case "budget":
            return bool(plan.budget.limits())
    return getattr(plan, key)


def describe(changed: list[str], restarted: list[str]) -> list[str]:
    """Return the lines for a person."""
    if not changed:
        return ["The plan is the one that runs."]
    lines = [f"Changed: {', '.join(changed)}. Planner and aggregator follow while they run."]
    return [*lines, f"Started again: {', '.join(restarted)}."] if restarted else lines
