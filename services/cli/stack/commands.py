"""The command-line interface of `chimera up`, `down`, `status`, `scale`, `plan apply` and `logs`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup

app = typer.Typer()
plan_app = typer.Typer(cls=HelpGroup, help="Change the plan of a running stack.", no_args_is_help=True)
app.add_typer(plan_app, name="plan")


@app.command()
def up(
    plan: opt.PlanFile = None,
    rows: opt.Rows = None,
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    seed: opt.Seed = None,
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Start the stack of `run` in the background. Returns when all services are ready."""
    from services.cli.stack.supervisor_process import start_supervisor

    with start_supervisor() as process:
        config = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, seed, directory)
        from services.cli.stack import up as command

        command.up(process, config, as_json=as_json)


@app.command()
def down(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Stop the stack in order; finished work is kept. Run it again while it stops to kill the stack."""
    from services.cli.stack import down as command

    command.down(directory, as_json=as_json)


@app.command()
def status(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Show each service's processes, readiness, lag and speed, and the progress of the plan.

    Exits with 3 when nothing runs in the folder.
    """
    from services.cli.stack import status as command

    raise typer.Exit(command.status(directory, as_json=as_json))


@app.command()
def scale(
    services: Annotated[list[str], typer.Argument(metavar="SERVICE=N…", help="Service and number of its processes.")],
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Change the number of processes of a service while the stack runs; 0 pauses the service."""
    from services.cli.stack import scale as command

    command.scale(directory, command.parse(services, directory), as_json=as_json)


@plan_app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="The plan.")],
    rows: opt.Rows = None,
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Give the running stack another plan.

    Rows, weights, budget, releases and in_progress apply without a restart. Services that read a changed section, such
    as verification or solving, are started again, one after the other.
    """
    from services.cli.common.run_config import load
    from services.cli.stack import apply as command

    command.apply(directory, load(file, rows), as_json=as_json)


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="A service, one of its processes, kafka, valkey or supervisor.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option("--lines", "-n", min=0, help="Number of last lines.")] = 20,
    directory: opt.Directory = opt.HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines unchanged, one JSON object each.")] = False,
) -> None:
    """Print the logs of a service's processes."""
    from services.cli.stack import logs as command

    command.logs(directory, service, follow=follow, last=last, as_json=as_json)
