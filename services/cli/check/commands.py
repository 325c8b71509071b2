"""The command-line interface of `chimera check budget`, `kafka`, `machine`, `models` and `plan`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup
from services.cli.common.kafka_connection import Bootstrap, Factory, access, call_kafka

if TYPE_CHECKING:
    from shared.kafka.admin.check import KafkaReport

app = typer.Typer(
    cls=HelpGroup, no_args_is_help=True, rich_markup_mode=None, help="Check plan, models, budget, Kafka or machine."
)


@app.command()
def budget(
    plan: Annotated[
        Path | None,
        typer.Option("--plan", envvar="CHIMERA_PLAN", help="Plan with the limits; default: that of the last run."),
    ] = None,
    valkey: Annotated[
        str, typer.Option(envvar="CHIMERA_VALKEY", help="URL of Valkey; default: the stack in --dir.")
    ] = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Show what is spent, by model, and the limits of the plan. Needs Valkey, and neither Kafka nor the dataset."""
    import asyncio

    from schemas.config.policies import Budget
    from services.cli.check import budget as command
    from services.cli.common.dataset_location import last_plan
    from shared.config.plan_loader import load_plan

    chosen = load_plan(plan) if plan else last_plan(directory)
    spent = asyncio.run(command.read_spent(command.find_valkey(valkey, directory), factory))
    figures = command.document(spent, chosen.budget if chosen else Budget())
    if as_json:
        print(json.dumps(figures))  # noqa: T201
    else:
        command.render(figures)


@app.command()
def kafka(
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Check the Kafka topics, their settings and the offsets of every group. Changes nothing."""
    from shared.kafka.admin.check import check

    kafka = access(bootstrap, directory)
    report = call_kafka(kafka, check(kafka, factory))
    if as_json:
        print(json.dumps(asdict(report)))  # noqa: T201
    else:
        for line in describe(report, str(kafka)):
            typer.echo(line)
    raise typer.Exit(1 if report.problems else 0)


@app.command()
def machine(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Check Python, disk, memory, cores, Java, Kafka's jars, Valkey, ports and clock."""
    from services.cli.check.machine import run_checks

    checks = run_checks(directory)
    if as_json:
        print(json.dumps({"ok": all(one.ok for one in checks), "checks": [asdict(one) for one in checks]}))  # noqa: T201
    for one in () if as_json else checks:
        mark = typer.style("ok     ", fg="green") if one.ok else typer.style("problem", fg="red")
        typer.echo(f"{mark}  {one.what:7}  {one.found}")
        if one.next_step:
            typer.echo(f"{'':18}next step: {one.next_step}")
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


@app.command()
def models(
    models: Annotated[
        Path | None,
        typer.Option(
            envvar="CHIMERA_MODELS", help="File that assigns models to roles, YAML or JSON: docs/how-to/models.md"
        ),
    ] = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait for one answer, in seconds.")] = 120.0,
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Check that each model does what its role needs, with a few real calls per role.

    Without --models or --base-url, check the models of the folder's last run.
    """
    chosen = opt.models_config_of(models, base_url, model, api_key_env)
    from services.cli.check import model_check
    from services.cli.common import models_config

    if not (chosen := chosen or models_config.load_default(directory)):
        raise typer.BadParameter("give the models with --models FILE, or with --base-url and --model")
    raise typer.Exit(0 if model_check.check(chosen, timeout, as_json=as_json) else 1)


@app.command()
def plan(
    plan: Annotated[
        Path | None, typer.Argument(metavar="PLAN", help="demo (the default), chimera, forever, or a YAML file.")
    ] = None,
    rows: opt.Rows = None,
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Check a plan, and estimate its problems, calls, tokens, cost and time. Calls no model.

    The estimate uses what was measured in --dir, otherwise assumptions, and says which. Without --models or --base-url
    it uses the models of the folder's last run.
    """
    config = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, None, directory)
    from services.cli.check import plan_check

    plan_check.check(config, as_json=as_json)


def describe(report: "KafkaReport", kafka: str) -> list[str]:
    """Return the lines for a person."""
    lines = [
        line for one in report.problems for line in (f"problem  {one.what}", f"         next step: {one.next_step}")
    ]
    count = len(report.problems) or "no"
    noun = "problem" if count == 1 else "problems"
    return [*lines, f"{report.kafka_topics} Kafka topics and {report.groups} groups at {kafka}: {count} {noun}"]
