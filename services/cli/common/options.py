"""Command-line options that several commands have, and the configuration that they give."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services import planner

if TYPE_CHECKING:
    from schemas.config.models_config import ModelsConfig
    from services.cli.common.run_config import RunConfig

PlanFile = Annotated[
    Path | None,
    typer.Option("--plan", help="The plan: demo (40 rows, the default), chimera, forever, or a YAML file."),
]
Rows = Annotated[int | None, typer.Option(min=1, help="Total rows; overrides the plan's.")]
ModelsFile = Annotated[
    Path | None, typer.Option("--models", help="File that assigns models to roles, YAML or JSON: docs/how-to/models.md")
]
BaseUrl = Annotated[str, typer.Option(help="Endpoint of a real model, up to and including /v1.")]
ModelName = Annotated[str, typer.Option("--model", help="Name of the model as served; it is used for every role.")]
KeyVariable = Annotated[str, typer.Option("--api-key-env", help="Name of the environment variable with the API key.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the simulated models.")]
Directory = Annotated[Path, typer.Option("--dir", help="Folder for all data.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and progress on standard error.")
]
Where = Annotated[str, typer.Option(help="SQL condition on the columns of rows, or of the ledger.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show items, calls, tokens and cost; send nothing.")]

HERE = Path(".chimera")


def shipped() -> dict[str, Path]:
    """Return the plans that are included in the package, by name."""
    return {path.stem: path for path in Path(planner.__file__).with_name("plans").glob("*.yaml")}


def plan_file(plan: Path | None) -> Path:
    """Return the file of a plan. The name of an included plan has precedence over a file; write ./NAME for the file."""
    return shipped().get(str(plan), plan) if plan else shipped()["demo"]


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
    """Check the options. Raises BadParameter for options that contradict each other, Refusal for an invalid plan."""
    chosen = models_config_of(models, base_url, model, api_key_env)
    from services.cli.common import models_config, run_config

    chosen = chosen or models_config.load_default(directory)
    if chosen and seed is not None:
        raise typer.BadParameter("--seed applies only to the simulator, not to your own models")
    return run_config.RunConfig(run_config.load(plan_file(plan), rows), directory, chosen, seed or 0)


def models_config_of(models: Path | None, base_url: str, model: str, api_key_env: str) -> "ModelsConfig | None":
    """Return the models that the options name, if any. Raises as `run_config_of` does."""
    if models and (base_url or model or api_key_env):
        raise typer.BadParameter("--models excludes --base-url, --model and --api-key-env")
    if bool(base_url) != bool(model) or (api_key_env and not base_url):
        raise typer.BadParameter("a real model needs both --base-url and --model")
    if models:
        from shared.llm import load_models_config

        return load_models_config(models)
    from services.cli.common import run_config

    return run_config.one_model(base_url, model, api_key_env or None) if base_url else None
