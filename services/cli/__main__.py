"""The command `chimera`. Exit status: 0 done, 1 refused or failed, 2 usage error, 3 nothing runs, 130 interrupted."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.check.commands import app as check
from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup
from services.cli.common.kafka_connection import Bootstrap, Factory
from services.cli.dataset.commands import app as dataset
from services.cli.evidence.commands import app as evidence
from services.cli.kafka.commands import app as kafka
from services.cli.kafka.dead_letters import app as dead_letters
from services.cli.probe.commands import app as probe
from services.cli.resolve.commands import app as resolve
from services.cli.review.commands import app as review
from services.cli.stack.commands import app as stack
from services.cli.start.commands import app as start
from services.cli.train import app as train
from shared.errors import Refusal, Transient
from shared.garbage_collector import collect_seldom
from shared.text.controls import strip_controls

AFTER_TRANSIENT = "Try again; if it persists, check the address, the credentials in the environment, and the disk"


class Commands(HelpGroup):
    """Prints a Refusal or a Transient error with its next step, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Refusal as error:
            typer.secho(strip_controls(error.message), fg="red", err=True)
            for line in strip_controls(error.log).splitlines():
                typer.secho(f"  | {line}", dim=True, err=True)
            typer.echo(f"Next step: {strip_controls(error.next_step)}", err=True)
            raise typer.Exit(1) from error
        except Transient as error:
            typer.secho(strip_controls(str(error)), fg="red", err=True)
            typer.echo(f"Next step: {AFTER_TRANSIENT}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"chimera {version('chimera-factory')}")
        raise typer.Exit


@app.callback()
def chimera(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Chimera, a factory for reasoning data: models write, verify and solve problems, on a Kafka log."""


@app.command("run")
def run(
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
    """Start the stack, grow the dataset until it has the plan's rows, stop the stack.

    Without a model, a simulator answers every call: real services, simulated answers. Run it again to continue with the
    same models, or with more --rows. Press Ctrl-C once to finish work under way and stop, twice to stop immediately.
    """
    config = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, seed, directory)
    from services.cli.run import command

    raise typer.Exit(command.run(config, as_json=as_json))


@app.command()
def audit(
    directory: opt.Directory = opt.HERE,
    width: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=0.99, help="Also show how many audits an interval of this width needs, such as 0.05."
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Show the estimated share of wrong keys among rows, and how many planted errors the checks miss."""
    from services.cli import audit as command
    from services.cli import wrong_keys
    from services.cli.common.dataset_location import dataset_in, difficulty_bins
    from shared.dataset import Dataset, open_audits
    from shared.dataset.reports import audit_rates
    from shared.dataset.reports.wrong_keys import estimate_wrong_keys

    folder = dataset_in(directory)
    try:
        audits = open_audits(folder)
    except Refusal:
        if Dataset.exists(folder) and not as_json:
            wrong_keys.render(estimate_wrong_keys(Dataset.open(folder), None))
        raise
    dataset = Dataset.open(folder)
    figures = {
        "wrong_keys": estimate_wrong_keys(dataset, audits),
        **audit_rates.count(audits, width, difficulty_bins(directory)),
        "agreement": audit_rates.error_overlap(dataset),
    }
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        command.render(figures)


@app.command()
def console(
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Write one release as a static site into this new folder instead.")
    ] = None,
    version: Annotated[str, typer.Option(help="With --bundle: a release's number, `latest`, or `now`.")] = "latest",
    host: Annotated[str, typer.Option(help="Address to listen on. There is no login.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8300,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
) -> None:
    """Show the dataset in a browser: samples with their evidence, rejects, coverage, releases. Read-only."""
    from services.cli import console as view

    if bundle is None:
        view.serve(directory, host, port, bootstrap, factory)
    else:
        typer.echo(f"{view.bundle(directory, bundle, version):,} pages: {bundle / 'index.html'}")


app.add_typer(start)
app.add_typer(stack)
app.add_typer(evidence)
app.add_typer(resolve)
app.add_typer(probe)
app.add_typer(review)
app.add_typer(check, name="check")
app.add_typer(dataset, name="dataset")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(kafka, name="kafka")
app.add_typer(train, name="train")


def main() -> None:
    """Entry point of the script.

    Exits without interpreter shutdown: a thread of Arrow that still reads may abort the process during shutdown
    ("terminate called without an active exception"), which changes the exit status of a good run.
    """
    collect_seldom()
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
