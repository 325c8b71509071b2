"""chimera dataset export, delete, rebuild: do something with the product."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.common.kafka_connection import Bootstrap, Factory

app = typer.Typer()

Directory = Annotated[Path, typer.Option("--dir", help="Where everything is kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

Tested = Annotated[
    Path | None,
    typer.Option("--plan", help="Hold rows against the benchmarks of this plan, not of the one last run here."),
]
VERSION = "A release's number, `latest`, or `now`: the dataset as it is."


class Form(StrEnum):
    """parquet and jsonl have every column; hf is parquet; chimera has the paper's columns; verl is for RL with verl."""

    parquet = "parquet"
    jsonl = "jsonl"
    hf = "hf"
    chimera = "chimera"
    verl = "verl"


class View(StrEnum):
    """preference: sound traces against wrong ones of the same problem; held_out: what no other view but all has."""

    all = "all"
    sft = "sft"
    rl = "rl"
    preference = "preference"
    held_out = "held_out"


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must not be there, or be empty.")],
    form: Annotated[Form, typer.Option("--format", help="See docs/dataset.md.")] = Form.parquet,
    view: Annotated[View, typer.Option(help="Which rows.")] = View.sft,
    version: Annotated[str, typer.Option(help=VERSION)] = "latest",
    plan: Tested = None,
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Write a view of one version as files, with a dataset card. The folder appears whole or not at all."""
    from services.cli.dataset.export import command as command

    done = command.export(directory, out, form.value, view.value, version, plan)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{done['rows']:,} records of {done['problems']:,} problems and a card: {out}")
    if done["contaminated"]:
        typer.echo(f"{len(done['contaminated'])} of them are known from a benchmark: chimera dataset stats names them")


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of rows, or how they begin.")],
    reason: Annotated[str, typer.Option(help="Why; kept on the log and in the ledger.")],
    purge: Annotated[bool, typer.Option("--purge", help="Also from older versions, releases among them.")] = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Delete rows for good, through the running stack: they never come back, and others are grown in their place."""
    from services.cli.dataset import delete as command

    done = command.delete(directory, ids, reason, bootstrap, factory, purged=purge)
    if as_json:
        print_json(done)
        return
    typer.echo(
        f"rows deleted: {len(done['deleted'])}" + (", once the aggregator runs again" if done["waiting"] else "")
    )
    if purge:
        typer.echo(f"files purged: {done['purged_files']}; releases that had one of them cannot be read any more")
    typer.echo(done["left"])


@app.command()
def rebuild(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must not be there, or be empty.")],
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """The dataset again, from the Kafka topics that are kept for ever: the same rows, admitted as they were."""
    from services.cli.dataset import rebuild as command

    done = command.rebuild(directory, out, bootstrap, factory)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{done['rows']:,} rows, {done['ledger']:,} lines in the ledger, {done['audits']:,} audits: {out}")
    if done["differing"]:
        typer.echo(f"not what they were: {len(done['differing'])} rows; this software makes other rows of the same log")


def print_json(document: dict[str, Any]) -> None:
    """ASCII only: what a model wrote cannot reach the terminal as a control character."""
    typer.echo(json.dumps(document, indent=2, default=str))
