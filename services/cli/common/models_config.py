"""The models of a run: the simulator's or a person's; and the files from which the services read plan and models."""

import json
from pathlib import Path

import yaml

from deploy.local.process_spec import ProcessSpec
from schemas.config.models_config import CHAT_ROLES, Endpoint, ModelsConfig, RoleModel, Roles, simulated_model
from schemas.config.plan import SUBJECTS, Plan
from schemas.flow import SERVICES, ServiceSpec
from services.cli.common.dataset_location import dataset_in
from services.cli.common.names import SIMULATOR
from shared.errors import Refusal
from shared.llm import load_models_config

_SETTINGS = ("CHIMERA_*", "OTEL_*")
_PROXIES = ("*_PROXY", "*_proxy")
_STORES = ("AWS_*", "GOOGLE_*", "AZURE_*")
"""Credentials of the dataset's object store, for the one service that writes it."""

LARGE_PLAN_ROWS = 2_000
"""Rows of a plan from which the simulator has its large bank."""
_LATENCY_MS = {
    "sim-writer": 150,
    "sim-verifier-a": 150,
    "sim-verifier-b": 150,
    "sim-adjudicator": 150,
    "sim-solver": 400,
    "sim-judge": 50,
}
"""Slow enough for a person to follow the view."""


def simulated(port: int) -> ModelsConfig:
    """Return models that assign every role to the simulator on a port of this machine."""
    endpoint = Endpoint(base_url=f"http://127.0.0.1:{port}/v1", simulated=True)
    roles = {role: RoleModel(endpoint=SIMULATOR, model=simulated_model(role)) for role in CHAT_ROLES}
    return ModelsConfig(endpoints={SIMULATOR: endpoint}, roles=Roles(**roles))


def simulator(port: int, seed: int, plan: Plan | None = None) -> ProcessSpec:
    """Return the process of the simulator. It has no health port; it is ready when it lists its models."""
    settings = {"PORT": str(port), "SEED": str(seed), "LATENCY_MS": json.dumps(_LATENCY_MS)}
    if plan and (plan.endless or plan.rows > LARGE_PLAN_ROWS):
        settings["LARGE_BANK"] = "true"
    env = {f"CHIMERA_SIM_{name}": value for name, value in settings.items()}
    return ProcessSpec(SIMULATOR, env=env, inherits=("CHIMERA_SIM_*",), has_health=False)


def services(directory: Path, models: ModelsConfig) -> list[ProcessSpec]:
    """Return every service of the flow, with the files that `write` wrote and the variables that it needs."""
    folder = directory.resolve()
    files = {"PLAN": folder / "plan.yaml", "MODELS": folder / "models.json", "DATASET": dataset_in(folder)}
    env = {f"CHIMERA_{name}": str(location) for name, location in files.items()}
    keys = [endpoint.key_env for endpoint in models.endpoints.values() if endpoint.key_env]

    def inherits(service: ServiceSpec) -> tuple[str, ...]:
        stores = _STORES if service.name == "aggregator" else ()
        return (*_SETTINGS, *stores, *((*_PROXIES, *keys) if service.models else ()))

    return [
        ProcessSpec(service.name, f"services.{service.module}", env=env, inherits=inherits(service))
        for service in SERVICES
    ]


def load_previous(directory: Path) -> ModelsConfig | None:
    """Load the models of the folder's last run; `None` before the first."""
    path = directory / "models.json"
    return load_models_config(path) if path.exists() else None


def load_default(directory: Path) -> ModelsConfig | None:
    """Load the models for a run that names none: those of the last run; `None` stands for a simulator."""
    previous = load_previous(directory)
    if previous is None:
        return None
    own = simulated(0).assigned()  # a folder of an earlier version has fewer roles
    return None if all(own.get(role) == model for role, model in previous.assigned().items()) else previous


def changes(directory: Path, models: ModelsConfig) -> list[str]:
    """Return a warning when a role had another model in the folder's last run."""
    previous = load_previous(directory)
    roles = [role for role in models.assigned() if role in previous.assigned()] if previous else []
    changed = [
        f"{role} was {previous.identity(role)[0]}"
        for role in roles
        if previous and previous.identity(role) != models.identity(role)
    ]
    return [f"Other models than before in {directory}: {', '.join(changed)}. Rows name their model."] if changed else []


def dependence(models: ModelsConfig) -> list[str]:
    """Return a warning for each model with several roles."""
    if len({role.model for role in models.assigned().values()}) == 1:
        return ["One model writes, verifies and solves: its verdicts on its own work are worth less."]
    why = "its verdicts on its own work are worth less, and rows say independent: false"
    return [f"{model} has the roles {' and '.join(roles)}: {why}." for model, roles in models.shared_roles().items()]


def check_unmixed(directory: Path, *, simulated: bool) -> None:
    """Raise Refusal for a folder whose rows are of real models when these are simulated, or the other way round."""
    previous = load_previous(directory)
    if previous and previous.simulated != simulated:
        kind = "simulated" if not simulated else "real"
        raise Refusal(f"{directory} contains rows of {kind} models", "Give another folder with --dir")


def check_fit(plan: Plan, models: ModelsConfig | None) -> None:
    """Raise Refusal for a plan that these models, or without them the simulator, cannot answer."""
    is_simulated = models is None or models.simulated
    if is_simulated and (unknown := [name for name in plan.subjects if name not in SUBJECTS]):
        what = "no model is given" if models is None else "the models are simulated"
        step = "Give real models with --models or --base-url, or take subjects that need no `about:`"
        raise Refusal(f"{what}, and the simulator has no problems of {', '.join(unknown)}", step)
    if models and plan.solving.probe_attempts and "base" not in models.assigned():
        step = "Give the role base a model in the models file, or remove probe_attempts from the plan"
        raise Refusal("the plan has solving.probe_attempts, and no model has the role base", step)


def write(directory: Path, plan: Plan, models: ModelsConfig) -> None:
    """Write plan and models to the files that the services read. The files name the variables of keys, not the keys."""
    directory.mkdir(parents=True, exist_ok=True)
    write_plan(directory, plan)
    (directory / "models.json").write_text(models.model_dump_json(indent=1), encoding="utf-8")


def write_plan(directory: Path, plan: Plan) -> None:
    """Replace the plan's file, which services follow, in one step."""
    text = yaml.safe_dump(plan.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (directory / "plan.yaml.new").write_text(text, encoding="utf-8")
    (directory / "plan.yaml.new").replace(directory / "plan.yaml")
