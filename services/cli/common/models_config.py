"""Who plays the models: the simulator's cast, or a person's; and what is written down for services."""

import json
from pathlib import Path

import yaml

from deploy.local.process_spec import ProcessSpec
from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel, Roles
from schemas.config.plan import Plan
from schemas.flow import SERVICES
from services.cli.common.dataset_location import dataset_in
from shared.errors import Refusal
from shared.llm import load_models_config

SIMULATOR = "simulator"

_CAST = {
    "writer": "sim-writer",
    "verifier_a": "sim-verifier-a",
    "verifier_b": "sim-verifier-b",
    "solver": "sim-solver",
    "judge": "sim-judge",
    "base": "sim-base",
}

_LATENCY_MS = {"sim-writer": 150, "sim-verifier-a": 150, "sim-verifier-b": 150, "sim-solver": 400, "sim-judge": 50}
"""Slow enough to be watched."""


def simulated(port: int) -> ModelsConfig:
    """Every role played by the simulator on a port of this machine."""
    place = Endpoint(base_url=f"http://127.0.0.1:{port}/v1", simulated=True)
    roles = {role: RoleModel(endpoint=SIMULATOR, model=name) for role, name in _CAST.items()}
    return ModelsConfig(endpoints={SIMULATOR: place}, roles=Roles(**roles))


def simulator(port: int, seed: int) -> ProcessSpec:
    """The simulator as a process. It has no health port: ask it for its models."""
    settings = {"PORT": str(port), "SEED": str(seed), "LATENCY_MS": json.dumps(_LATENCY_MS)}
    env = {f"CHIMERA_SIM_{name}": value for name, value in settings.items()}
    return ProcessSpec(SIMULATOR, env=env, has_health=False)


def services(directory: Path) -> list[ProcessSpec]:
    """Every service of the flow, with what `written` wrote."""
    folder = directory.resolve()
    files = {"PLAN": folder / "plan.yaml", "MODELS": folder / "models.json", "DATASET": dataset_in(folder)}
    env = {f"CHIMERA_{name}": str(place) for name, place in files.items()}
    return [ProcessSpec(service.name, f"services.{service.module}", env=env) for service in SERVICES]


def last(directory: Path) -> ModelsConfig | None:
    """The models that a folder was last run with."""
    path = directory / "models.json"
    return load_models_config(path) if path.exists() else None


def kept(directory: Path) -> ModelsConfig | None:
    """The models that a run in this folder goes on with when none are named; `None`: a simulator started for it."""
    cast = last(directory)
    return None if cast is None or cast.roles == simulated(0).roles else cast


def changes(directory: Path, cast: ModelsConfig) -> list[str]:
    """Say which roles were played by another model when this folder was last run."""
    before = last(directory)
    roles = [role for role in cast.assigned() if role in before.assigned()] if before else []
    told = [
        f"{role} was {before.identity(role)[0]}"
        for role in roles
        if before and before.identity(role) != cast.identity(role)
    ]
    return [f"Other models than before in {directory}: {', '.join(told)}. Every row names its own."] if told else []


def dependence(cast: ModelsConfig) -> list[str]:
    """Say where a model plays several roles."""
    if len({part.model for part in cast.assigned().values()}) == 1:
        return ["One model writes, verifies and solves: its verdicts on its own work are worth less."]
    why = "its verdicts on its own work are worth less, and rows say independent: false"
    return [f"{model} plays {' and '.join(roles)}: {why}." for model, roles in cast.shared_roles().items()]


def check_unmixed(directory: Path, *, simulated: bool) -> None:
    """Refuse to mix rows of simulated and of real models in one folder."""
    before = last(directory)
    if before and before.simulated != simulated:
        kind = "simulated" if not simulated else "real"
        raise Refusal(f"{directory} holds the work of {kind} models", "Name another folder with --dir")


def write(directory: Path, plan: Plan, cast: ModelsConfig) -> None:
    """Write down plan and models where the services read them. Keys are not among it, only their variables' names."""
    directory.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(plan.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (directory / "plan.yaml").write_text(text, encoding="utf-8")
    (directory / "models.json").write_text(cast.model_dump_json(indent=1), encoding="utf-8")
