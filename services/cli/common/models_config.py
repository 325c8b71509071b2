"""Who plays the models: the simulator's cast, or a person's; and what is written down for services."""

import json
from pathlib import Path

import yaml

from deploy.local.process_spec import Process
from schemas.config.models_config import Cast, Part, Place, Roles
from schemas.config.plan import Plan
from schemas.flow import SERVICES
from services.cli.common.dataset_location import dataset_in
from shared.errors import Refusal
from shared.llm import load_cast

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


def simulated(port: int) -> Cast:
    """Every role played by the simulator on a port of this machine."""
    place = Place(base_url=f"http://127.0.0.1:{port}/v1", simulated=True)
    roles = {role: Part(endpoint=SIMULATOR, model=name) for role, name in _CAST.items()}
    return Cast(endpoints={SIMULATOR: place}, roles=Roles(**roles))


def simulator(port: int, seed: int) -> Process:
    """The simulator as a process. It has no health port: ask it for its models."""
    settings = {"PORT": str(port), "SEED": str(seed), "LATENCY_MS": json.dumps(_LATENCY_MS)}
    env = {f"CHIMERA_SIM_{name}": value for name, value in settings.items()}
    return Process(SIMULATOR, env=env, has_health=False)


def services(directory: Path) -> list[Process]:
    """Every service of the flow, with what `written` wrote."""
    folder = directory.resolve()
    files = {"PLAN": folder / "plan.yaml", "MODELS": folder / "models.json", "DATASET": dataset_in(folder)}
    env = {f"CHIMERA_{name}": str(place) for name, place in files.items()}
    return [Process(service.name, f"services.{service.module}", env=env) for service in SERVICES]


def last(directory: Path) -> Cast | None:
    """The models that a folder was last run with."""
    path = directory / "models.json"
    return load_cast(path) if path.exists() else None


def kept(directory: Path) -> Cast | None:
    """The models that a run in this folder goes on with when none are named; `None`: a simulator started for it."""
    cast = last(directory)
    return None if cast is None or cast.roles == simulated(0).roles else cast


def changes(directory: Path, cast: Cast) -> list[str]:
    """Say which roles were played by another model when this folder was last run."""
    before = last(directory)
    roles = [role for role in cast.playing() if role in before.playing()] if before else []
    told = [f"{role} was {before.who(role)[0]}" for role in roles if before and before.who(role) != cast.who(role)]
    return [f"Other models than before in {directory}: {', '.join(told)}. Every row names its own."] if told else []


def dependence(cast: Cast) -> list[str]:
    """Say where a model plays several roles."""
    if len({part.model for part in cast.playing().values()}) == 1:
        return ["One model writes, verifies and solves: its verdicts on its own work are worth less."]
    why = "its verdicts on its own work are worth less, and rows say independent: false"
    return [f"{model} plays {' and '.join(roles)}: {why}." for model, roles in cast.doubles().items()]


def check_unmixed(directory: Path, *, simulated: bool) -> None:
    """Refuse to mix rows of simulated and of real models in one folder."""
    before = last(directory)
    if before and before.simulated != simulated:
        kind = "simulated" if not simulated else "real"
        raise Refusal(f"{directory} holds the work of {kind} models", "Name another folder with --dir")


def write(directory: Path, plan: Plan, cast: Cast) -> None:
    """Write down plan and models where the services read them. Keys are not among it, only their variables' names."""
    directory.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(plan.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (directory / "plan.yaml").write_text(text, encoding="utf-8")
    (directory / "models.json").write_text(cast.model_dump_json(indent=1), encoding="utf-8")
