"""chimera up, down, status, scale, logs: a stack that keeps running."""

from typing import Annotated

import typer

from services.cli.common import options as opt

app = typer.Typer()


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
    """Start what `run` starts, and keep it running in the background. Returns when all services are ready."""
    order = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, seed, directory)
    from services.cli.stack import up as command

    command.up(order, as_json=as_json)


@app.command()
def down(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Stop what runs, in order: what is finished is kept. Typed again while it stops, it kills."""
    from services.cli.stack import down as command

    command.down(directory, as_json=as_json)


@app.command()
def status(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Each service: its processes, whether they are ready, its backlog, its speed; and how far the plan is."""
    from services.cli.stack import status as command

    command.status(directory, as_json=as_json)


@app.command()
def scale(
    services: Annotated[list[str], typer.Argument(metavar="SERVICE=N…", help="How many processes of a service.")],
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """More or fewer processes of a service, while it runs; 0 rests it, its backlog waits."""
    from services.cli.stack import scale as command

    command.scale(directory, command.parse(services), as_json=as_json)


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="A service, one of its processes, kafka, valkey or supervisor.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last lines.")] = 20,
    directory: opt.Directory = opt.HERE,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they are, one JSON object each.")] = False,
) -> None:
    """What the processes of a service say."""
    from services.cli.stack import logs as command

    command.logs(directory, service, follow=follow, last=last, as_json=as_json)
