"""The command `chimera`. Exit status: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""

import json
import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deploy.local.errors import StackError
from services.cli.check.commands import app as check
from services.cli.common import options as opt
from services.cli.dataset.commands import app as dataset
from services.cli.kafka.commands import app as kafka
from services.cli.kafka.dead_letters import app as dead_letters
from services.cli.stack.commands import app as operate
from services.cli.train import app as train
from shared.errors import Refusal, Transient

ONCE_IT_ANSWERS = "Try again; if it goes on, check the address, the credentials in the environment, and the disk"


class Commands(TyperGroup):
    """Says a refusal, or what does not answer, with the next step, without a traceback."""

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
        except Transient as error:
            typer.secho(str(error), fg="red", err=True)
            typer.echo(f"Next step: {ONCE_IT_ANSWERS}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def chimera() -> None:
    """Chimera, a factory for reasoning data: problems written, verified and solved by models, on a Kafka log."""


@app.command("run")
def grow(
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
    """Start the stack, grow the dataset until the plan's rows are there, stop the stack.

    Without a model everything is played by a simulator: real services, made-up answers. Run it again to go on where
    it stopped, with the same models, or with more --rows to grow further. Ctrl-C once stops in order, twice at once.
    """
    order = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, seed, directory)
    from services.cli.run import command as run

    raise typer.Exit(run.run(order, as_json=as_json))


@app.command()
def audit(
    directory: opt.Directory = opt.HERE,
    width: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.99, help="Also tell how many audits make an interval of this width, like 0.05."),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """How much the checks let through: rates by kind of defect, check and difficulty, with their 95 % intervals."""
    from services.cli import audit as view
    from services.cli.common.dataset_location import dataset_in
    from shared.dataset import Dataset, audits

    folder = dataset_in(directory)
    counted = {**view.count(audits(folder), width), "agreement": view.alike(Dataset.open(folder))}
    if as_json:
        typer.echo(json.dumps(counted, indent=2))
    else:
        view.render(counted)


app.add_typer(operate)
app.add_typer(check, name="check")
app.add_typer(dataset, name="dataset")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(kafka, name="kafka")
app.add_typer(train, name="train")


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
