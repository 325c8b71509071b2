"""The command-line interface of `chimera init` and `preview`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.common import options as opt

app = typer.Typer()


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where to write them.")] = Path(),
) -> None:
    """Write a commented plan.yaml and models.yaml to begin with."""
    from services.cli.start.init import init as command

    plan, models = command(directory)
    typer.echo(f"wrote {plan} and {models}. Edit them, then:")
    typer.echo(f"  chimera check models --models {models}")
    typer.echo(f"  chimera check plan {plan} --models {models} --dir mine")
    typer.echo(f"  chimera preview --plan {plan} --models {models}")
    typer.echo(f"  chimera run --plan {plan} --models {models} --dir mine")


@app.command()
def preview(
    plan: opt.PlanFile = None,
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    seed: opt.Seed = None,
    problems: Annotated[int, typer.Option(min=1, max=100, help="Number of problems to make.")] = 5,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the preview's data in this new folder; by default it is removed.")
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make a few problems of a plan through every check, and show each with its evidence.

    Without a model, a simulator answers every call.
    """
    config = opt.run_config_of(plan, None, models, base_url, model, api_key_env, seed, keep or Path())
    from services.cli.start.preview import preview as command

    raise typer.Exit(command(config, problems, keep, as_json=as_json))
