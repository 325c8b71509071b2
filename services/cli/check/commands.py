"""chimera check kafka, machine, models, plan: before it is needed, is it as it should be?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.kafka_connection import Bootstrap, Factory, access, call_kafka

if TYPE_CHECKING:
    from shared.kafka.admin.check import KafkaReport

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Is everything as it should be?")


@app.command()
def kafka(
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Kafka topics, their settings, the offsets of every group. Changes nothing."""
    from shared.kafka.admin.check import check

    where = access(bootstrap, directory)
    found = call_kafka(where, check(where, factory))
    if as_json:
        print(json.dumps(asdict(found)))  # noqa: T201
    else:
        for line in print_findings(found, str(where)):
            typer.echo(line)
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def machine(directory: opt.Directory = opt.HERE, as_json: opt.AsJson = False) -> None:
    """Python, disk, memory, cores, Java, Kafka's jars, Valkey, ports, clock: can the stack run here?"""
    from services.cli.check.machine import run_checks

    found = run_checks(directory)
    if as_json:
        print(json.dumps({"ok": all(one.ok for one in found), "checks": [asdict(one) for one in found]}))  # noqa: T201
    for one in () if as_json else found:
        mark = typer.style("ok     ", fg="green") if one.ok else typer.style("problem", fg="red")
        typer.echo(f"{mark}  {one.what:7}  {one.found}")
        if one.next_step:
            typer.echo(f"{'':18}next step: {one.next_step}")
    raise typer.Exit(0 if all(one.ok for one in found) else 1)


@app.command()
def models(
    models: Annotated[
        Path | None, typer.Option(envvar="CHIMERA_MODELS", help="Which models, as YAML or JSON: docs/models.md.")
    ] = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait for one answer, in seconds.")] = 120.0,
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Does each model do what its role needs? At most two real calls a role, all roles at once.

    Without --models or --base-url: the models that the folder was last run with.
    """
    cast = opt.models_config_of(models, base_url, model, api_key_env)
    from services.cli.check import model_check
    from services.cli.common import models_config

    if not (cast := cast or models_config.kept(directory)):
        raise typer.BadParameter("name them with --models FILE, or with --base-url and --model")
    raise typer.Exit(0 if model_check.check(cast, timeout, as_json=as_json) else 1)


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
    """Is the plan sound, and what will it need: problems, calls, tokens, money, time? Calls no model.

    Reckons with what --dir has measured, or else with assumptions, and says which. Without --models or --base-url:
    with the models that the folder was last run with.
    """
    order = opt.run_config_of(plan, rows, models, base_url, model, api_key_env, None, directory)
    from services.cli.check import plan_check

    plan_check.check(order, as_json=as_json)


def print_findings(found: "KafkaReport", where: str) -> list[str]:
    """For a person."""
    lines = [
        line for one in found.problems for line in (f"problem  {one.what}", f"         next step: {one.next_step}")
    ]
    count = len(found.problems) or "no"
    noun = "problem" if count == 1 else "problems"
    return [*lines, f"{found.kafka_topics} Kafka topics and {found.groups} groups at {where}: {count} {noun}"]
