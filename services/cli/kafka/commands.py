"""`chimera kafka create`, `trim`, `show`: for charts and operators."""

import json
import time
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup
from services.cli.common.kafka_connection import Bootstrap, Factory, access, call_kafka
from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.kafka.admin.create import Created
    from shared.kafka.admin.retention import Trimmed

app = typer.Typer(cls=HelpGroup, no_args_is_help=True, rich_markup_mode=None, help="Create, trim or read Kafka topics.")


class Start(StrEnum):
    END = "end"
    BEGINNING = "beginning"


DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]


@app.command()
def create(
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    replication: Annotated[int, typer.Option(min=1, help="Copies of each Kafka topic; 3 in a cluster.")] = 1,
    start: Annotated[
        Start,
        typer.Option(help="Start of a new group in an existing Kafka topic. From the beginning, it pays again."),
    ] = Start.END,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, help="Partitions of shared Kafka topics, also of existing ones."),
    ] = None,
    restore_offsets: Annotated[
        bool,
        typer.Option(
            "--restore-offsets",
            help="Also for groups that lost their offsets: the end of retained Kafka topics, the beginning of others.",
        ),
    ] = False,
    directory: opt.Directory = opt.HERE,
    dry_run: DryRun = False,
    as_json: opt.AsJson = False,
) -> None:
    """Create the Kafka topics of the flow and commit initial offsets for every group. Safe while services run."""
    from shared.kafka.admin.create import create as work

    kafka = access(bootstrap, directory)
    done = call_kafka(
        kafka,
        work(
            kafka,
            factory,
            replication,
            from_beginning=start is Start.BEGINNING,
            partitions=partitions,
            restore=restore_offsets,
            dry_run=dry_run,
        ),
    )
    if as_json:
        print(json.dumps(asdict(done) | {"dry_run": dry_run}))  # noqa: T201
    else:
        typer.echo("\n".join(describe_created(done, dry_run=dry_run)))


@app.command()
def trim(
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    keep_hours: Annotated[float, typer.Option(min=0, help="Keep the records of the last hours.")] = 0.0,
    every_hours: Annotated[float, typer.Option(min=0, help="Repeat at this interval until stopped; 0: once.")] = 0.0,
    directory: opt.Directory = opt.HERE,
    dry_run: DryRun = False,
    as_json: opt.AsJson = False,
) -> None:
    """Delete records that every group has finished, except in retained Kafka topics. Safe while services run."""
    from shared.kafka.admin.retention import trim as work

    kafka = access(bootstrap, directory)
    while True:
        try:
            done = call_kafka(kafka, work(kafka, factory, keep_hours=keep_hours, dry_run=dry_run))
            _show_trimmed(done, dry_run, as_json)
        except Refusal as refusal:
            if not every_hours:
                raise
            typer.echo(f"{refusal}", err=True)
        if not every_hours:
            return
        time.sleep(every_hours * 3600)


@app.command()
def show(
    event: Annotated[str, typer.Argument(help="Type of the events, such as problem.accepted.", show_default=False)],
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    limit: Annotated[int, typer.Option(min=1, help="Most events.")] = 10,
    directory: opt.Directory = opt.HERE,
) -> None:
    """Print the latest events of a type, as JSON, one a line. It reads the whole Kafka topic, without a group."""
    from schemas.flow import BY_TYPE
    from shared.kafka.read.latest import read_latest

    if event not in BY_TYPE:
        raise Refusal(f"there is no event {event!r}", f"Give one of {', '.join(BY_TYPE)}")
    kafka = access(bootstrap, directory)
    for record in call_kafka(kafka, read_latest(kafka, factory, event, limit)):
        typer.echo(json.dumps(json.loads(record.value or b"null")))


def _show_trimmed(done: "list[Trimmed]", dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"dry_run": dry_run, "kafka_topics": [asdict(one) for one in done]}))  # noqa: T201
    else:
        typer.echo("\n".join(describe_trimmed(done, dry_run=dry_run)))


def describe_created(done: "Created", *, dry_run: bool) -> list[str]:
    """Return the lines for a person."""
    verb, past = ("would create", "would be created") if dry_run else ("created", "created")
    lines = [f"{verb}  {name}" for name in done.kafka_topics]
    lines += [f"{name} {'would get' if dry_run else 'has'} {count} partitions" for name, count in done.raised.items()]
    lines += [f"{name} keeps {count} partitions: {_why_kept(name)}" for name, count in done.kept.items()]
    groups = f"; initial offsets for {', '.join(done.groups)}" if done.groups else ""
    return [
        *lines,
        *map(str, done.starts),
        f"{len(done.kafka_topics)} Kafka topics {past}, {len(done.there)} existed{groups}",
    ]


def _why_kept(name: str) -> str:
    from schemas.flow import FIXED_PARTITIONS

    if name in FIXED_PARTITIONS:
        return "the panel keeps its state by partition, so a problem must stay in its own"
    return "Kafka cannot remove partitions"


def describe_trimmed(done: "list[Trimmed]", *, dry_run: bool) -> list[str]:
    """Return the lines for a person."""
    width = max(len(one.name) for one in done)
    verb = "would be deleted" if dry_run else "deleted"
    lines = []
    for one in done:
        groups = f", not finished by {', '.join(one.held_by)}" if one.held_by else ""
        lines.append(f"{one.name:{width}}  {one.removed:>9,} {verb}, {one.left:>7,} left{groups}")
    return [*lines, f"{sum(one.removed for one in done):,} records {verb}; retained Kafka topics are unchanged"]
