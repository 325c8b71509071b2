"""The command `chimera`. Exit status: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""

import os
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deploy.local.errors import StackError
from services.cli.dataset import app as dataset
from shared.errors import Refusal


class Commands(TyperGroup):
    """Says a refusal with its next step, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except (Refusal, StackError) as error:
            typer.secho(error.message, fg="red", err=True)
            for line in error.log.splitlines() if isinstance(error, StackError) else ():
                typer.secho(f"  | {line}", dim=True, err=True)
            typer.echo(f"Next step: {error.next_step}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(dataset, name="dataset")


@app.callback()
def chimera() -> None:
    """Chimera, a factory for reasoning data: problems written, verified and solved by models, on a Kafka log."""


@app.command("run")
def grow(
    plan: Annotated[Path | None, typer.Option(help="What to grow, as YAML; without it a demo of 40 rows.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows in all; overrides the plan's.")] = None,
    base_url: Annotated[str, typer.Option(help="A real model's endpoint, up to and including /v1.")] = "",
    model: Annotated[str, typer.Option(help="Its name as served. It plays every role.")] = "",
    api_key_env: Annotated[str, typer.Option(help="Environment variable that holds its key.")] = "",
    seed: Annotated[int | None, typer.Option(help="Seed of the simulated models.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="Where everything is kept.")] = Path(".chimera"),
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON; progress on standard error.")] = False,
) -> None:
    """Start the stack, grow the dataset until the plan's rows are there, stop the stack.

    Without a model everything is played by a simulator: real services, made-up answers. Run it again to go on where
    it stopped, or with more --rows to grow further. Ctrl-C once stops in order, twice at once.
    """
    if bool(base_url) != bool(model) or (api_key_env and not base_url):
        raise typer.BadParameter("a real model needs both --base-url and --model")
    if base_url and seed is not None:
        raise typer.BadParameter("--seed is for the simulated models, not for a real one")
    from services.cli import order, run  # only now: they take half a second to import

    real = order.endpoint(base_url, model, api_key_env or None) if base_url else None
    wanted = order.Order(order.plan(plan or _demo(), rows), directory, real, seed or 0)
    raise typer.Exit(run.run(wanted, as_json=as_json))


def _demo() -> Path:
    return Path(str(files("services.planner") / "plans" / "demo.yaml"))


def main() -> None:
    """Entry point of the script.

    Leaves without tearing the interpreter down: a thread of Arrow that is still reading may abort the process then
    ("terminate called without an active exception"), and with it the exit status of a run that went well.
    """
    status = 0
    try:
        app(prog_name="chimera")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
