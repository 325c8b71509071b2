"""What `run` and `up` are told, and the order that follows from it."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.config.models_config import ModelsConfig
    from services.cli.common.run_config import RunConfig

PlanFile = Annotated[
    Path | None,
    typer.Option("--plan", help="What to grow: demo (40 rows, the default), chimera, forever, or a YAML file."),
]
Rows = Annotated[int | None, typer.Option(min=1, help="Rows in all; overrides the plan's.")]
ModelsFile = Annotated[
    Path | None, typer.Option("--models", help="Which models to use, and for what, as YAML or JSON: docs/models.md.")
]
BaseUrl = Annotated[str, typer.Option(help="A real model's endpoint, up to and including /v1.")]
ModelName = Annotated[str, typer.Option("--model", help="Its name as served. It plays every role.")]
KeyVariable = Annotated[str, typer.Option("--api-key-env", help="Environment variable that holds its key.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the simulated models.")]
Directory = Annotated[Path, typer.Option("--dir", help="Where everything is kept.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, all else on standard error.")
]

HERE = Path(".chimera")


def shipped() -> dict[str, Path]:
    """Plans that come with the factory, by name."""
    return {path.stem: path for path in Path(str(files("services.planner") / "plans")).glob("*.yaml")}


def demo() -> Path:
    """The plan of whoever gives none."""
    return shipped()["demo"]


def plan_file(given: Path | None) -> Path:
    """Where a plan lies. A name goes before a file in this folder: that is ./NAME."""
    return shipped().get(str(given), given) if given else demo()


def run_config_of(
    plan: Path | None,
    rows: int | None,
    models: Path | None,
    base_url: str,
    model: str,
    api_key_env: str,
    seed: int | None,
    directory: Path,
) -> "RunConfig":
    """Check what was typed. Raises BadParameter for options that do not fit together, Refusal for a wrong plan."""
    cast = models_config_of(models, base_url, model, api_key_env)
    from services.cli.common import models_config, run_config

    cast = cast or models_config.kept(directory)
    if cast and seed is not None:
        raise typer.BadParameter("--seed is for the simulator that is started for you, not for models of your own")
    return run_config.RunConfig(run_config.plan(plan_file(plan), rows), directory, cast, seed or 0)


def models_config_of(models: Path | None, base_url: str, model: str, api_key_env: str) -> "ModelsConfig | None":
    """The models that were typed, if any. Raises as `run_config_of` does."""
    if models and (base_url or model or api_key_env):
        raise typer.BadParameter("--models says it all: leave out --base-url, --model and --api-key-env")
    if bool(base_url) != bool(model) or (api_key_env and not base_url):
        raise typer.BadParameter("a real model needs both --base-url and --model")
    if models:
        from shared.llm import load_models_config

        return load_models_config(models)
    from services.cli.common import run_config

    return run_config.one_model(base_url, model, api_key_env or None) if base_url else None
