"""The command-line interface of `chimera dataset export`, `delete` and `rebuild`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.common.kafka_connection import Bootstrap, Factory

app = typer.Typer()

Directory = Annotated[Path, typer.Option("--dir", help="Folder for all data.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

BenchmarkPlan = Annotated[
    Path | None,
    typer.Option("--plan", help="Compare rows with the benchmarks of this plan, not of the last run's."),
]
VERSION = "Number of a release, `latest`, or `now` for the current dataset."


class Form(StrEnum):
    """parquet, hf, jsonl: all columns; chimera: the paper's columns; verl: RL with verl; chat: conversations;

    problems: statements alone, in one file for `benchmarks` of another plan.
    """

    parquet = "parquet"
    jsonl = "jsonl"
    hf = "hf"
    chimera = "chimera"
    verl = "verl"
    chat = "chat"
    problems = "problems"


class View(StrEnum):
    """preference: correct traces against wrong ones of the same problem; held_out: rows of no other view except all.

    imported, imported_rl: imported rows that do not count, and would otherwise be in sft or rl.
    """

    all = "all"
    sft = "sft"
    rl = "rl"
    preference = "preference"
    held_out = "held_out"
    imported = "imported"
    imported_rl = "imported_rl"


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must not be there, or be empty.")],
    form: Annotated[Form, typer.Option("--format", help="See docs/how-to/dataset.md.")] = Form.parquet,
    view: Annotated[View, typer.Option(help="Which rows.")] = View.sft,
    version: Annotated[str, typer.Option(help=f"{VERSION} Before the first release `latest` is `now`.")] = "latest",
    plan: BenchmarkPlan = None,
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Write a view of one version as files, with a dataset card. The folder is complete or does not exist."""
    from services.cli.dataset.export import command as command

    done = command.export(directory, out, form.value, view.value, version, plan)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{done['rows']:,} records of {done['problems']:,} problems and a card: {out}")
    if done["release"] is None and version == "latest":
        typer.echo("There is no release yet: these are the rows of now.")
    if done["contaminated"]:
        typer.echo(f"{len(done['contaminated'])} of them match a benchmark: chimera dataset stats lists them")


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of rows, or their beginnings.")],
    reason: Annotated[str, typer.Option(help="Reason; recorded on the log and in the ledger.")],
    purge: Annotated[
        bool, typer.Option("--purge", help="Also delete from older versions, including releases.")
    ] = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Delete rows for good, through the running stack. The factory makes other rows in their place."""
    from services.cli.dataset import delete as command

    done = command.delete(directory, ids, reason, bootstrap, factory, purged=purge)
    if as_json:
        print_json(done)
        return
    typer.echo(
        f"rows deleted: {len(done['deleted'])}" + (", when the aggregator runs again" if done["waiting"] else "")
    )
    if purge:
        typer.echo(f"files purged: {done['purged_files']}; releases with one of these files are no longer readable")
    typer.echo(done["left"])


@app.command()
def rebuild(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must not be there, or be empty.")],
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Build the dataset again from the retained Kafka topics: the same rows with the same admissions."""
    from services.cli.dataset import rebuild as command

    done = command.rebuild(directory, out, bootstrap, factory)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{done['rows']:,} rows, {done['ledger']:,} lines in the ledger, {done['audits']:,} audits: {out}")
    if done["differing"]:
        typer.echo(f"{len(done['differing'])} rows differ: this version makes other rows from the same log")


def print_json(document: dict[str, Any]) -> None:
    """Print ASCII only, so that no control character of a model's text reaches the terminal."""
    typer.echo(json.dumps(document, indent=2, default=str))
