"""`chimera dead-letters`: lists, replays and drops records that a service could not process."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup
from services.cli.common.kafka_connection import Bootstrap, Factory, access, call_kafka
from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.kafka.dlq.replay import DeadLetter

app = typer.Typer(
    cls=HelpGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show, replay or drop records that a service could not process.",
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of dead letters, from `list`.")]
All = Annotated[bool, typer.Option("--all", help="All pending ones, or those that --service and --error select.")]
Service = Annotated[str | None, typer.Option(help="Only of this service.")]
Error = Annotated[str | None, typer.Option(help="Only of this error class, such as Transient.")]


@app.command("list")
def list_(
    service: Service = None,
    error: Error = None,
    settled: Annotated[
        bool, typer.Option("--settled", help="Include those that were replayed or dropped, or that are unreadable.")
    ] = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """List pending dead letters, oldest first: which service could not process which record, and why."""
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    letters = [
        one
        for one in call_kafka(kafka, list_dead_letters(kafka, factory))
        if (settled or not one.settled) and service in (None, one.service) and error in (None, one.error)
    ]
    if as_json:
        print(json.dumps([_describe(one) for one in letters]))  # noqa: T201
    else:
        _table(letters)


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Id of a dead letter, from `list`.")],
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Show one dead letter with its headers and its bytes."""
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    (one,) = _find(call_kafka(kafka, list_dead_letters(kafka, factory)), [letter])
    document = _describe(one) | {
        "key": _text(one.key),
        "headers": {name: _text(value) for name, value in one.headers},
        "value": _text(one.value),
    }
    if as_json:
        print(json.dumps(document))  # noqa: T201
        return
    from rich.console import Console

    from services.cli.common.sanitize_terminal import as_text

    console = Console()
    for name, value in document.items():
        text = one.event.model_dump_json(indent=2) if name == "value" and one.event else value
        console.print(as_text(f"{name:9}", "bold"), as_text(text), soft_wrap=True)


@app.command()
def replay(
    ids: Ids = None,
    every: All = False,
    service: Service = None,
    error: Error = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be replayed, and its cost.")] = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Publish records again, for the service that could not process them: without IDs, those that the plan still wants.

    Shows first what it costs, by the mean of all ended problems.
    """
    from services.cli.kafka.wanted import Demand, read_demand
    from shared.kafka.dlq.replay import list_dead_letters
    from shared.kafka.dlq.replay import replay as work

    kafka = access(bootstrap, directory)
    letters = call_kafka(kafka, list_dead_letters(kafka, factory))
    if ids or every:
        selected = _select(letters, ids or (), every, service, error)
        demand = call_kafka(kafka, Demand.read(kafka, factory))
    else:
        pending = _select(letters, (), True, service, error)
        demand = call_kafka(kafka, read_demand(kafka, factory))
        selected = demand.wanted(pending)
        typer.echo(f"the plan still wants {len(selected)} of {len(pending)} dead letters; --all replays all", err=True)
    estimate = demand.estimate(selected) if demand else None
    if estimate:
        typer.echo(f"{estimate}", err=True)
    if not dry_run:
        call_kafka(kafka, work(kafka, factory, selected))
    _report(
        "would replay" if dry_run else "replayed", selected, as_json, estimate=asdict(estimate) if estimate else None
    )


@app.command()
def drop(
    ids: Ids = None,
    reason: Annotated[str, typer.Option(help="Recorded with the rejected problem.")] = "dropped by hand",
    every: All = False,
    service: Service = None,
    error: Error = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Drop records: their problems are rejected, and the planner requests others."""
    from shared.kafka.dlq.replay import drop as work
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    selected = _select(call_kafka(kafka, list_dead_letters(kafka, factory)), ids or (), every, service, error)
    call_kafka(kafka, work(kafka, factory, selected, reason))
    _report("dropped", selected, as_json)


def _select(
    letters: Sequence["DeadLetter"], ids: Sequence[str], every: bool, service: str | None, error: str | None
) -> list["DeadLetter"]:
    """Return the selected dead letters. Raises BadParameter for contradictions, Refusal for an unknown id."""
    if bool(ids) == every or (ids and (service or error)):
        raise typer.BadParameter("give IDs, or --all, with or without --service and --error")
    pending = [one for one in letters if not one.settled]
    if ids:
        return _find(pending, ids)
    return [one for one in pending if service in (None, one.service) and error in (None, one.error)]


def _find(letters: Iterable["DeadLetter"], ids: Sequence[str]) -> list["DeadLetter"]:
    by_id = {one.id: one for one in letters}
    if unknown := [id_ for id_ in ids if id_ not in by_id]:
        raise Refusal(
            f"no pending dead letter {', '.join(unknown)}", "`chimera dead-letters list` shows the pending ones"
        )
    return [by_id[id_] for id_ in ids]


def _describe(one: "DeadLetter") -> dict[str, Any]:
    return {
        "id": one.id,
        "at": one.at.isoformat(timespec="seconds"),
        "service": one.service,
        "from": one.name,
        "problem": str(one.problem) if one.problem else None,
        "error": one.error,
        "message": one.message,
        "attempts": one.attempts,
        "settled": one.settled,
    }


def _table(letters: Sequence["DeadLetter"]) -> None:
    from rich.console import Console
    from rich.table import Table

    from services.cli.common.sanitize_terminal import as_text

    console = Console()
    if not letters:
        console.print("No pending dead letters.")
        return
    table = Table("id", "at", "service", "from", "problem", "why", box=None, header_style="dim", pad_edge=False)
    for one in letters:
        fields = _describe(one)
        why = as_text(f"{one.settled + ': ' if one.settled else ''}{one.error}: {one.message}".splitlines()[0])
        table.add_row(one.id, fields["at"][:19], one.service, one.name, str(fields["problem"] or "")[:8], why)
    console.print(table)
    console.print(f"\nshow one  chimera dead-letters show {letters[0].id}")
    console.print("replay    chimera dead-letters replay [ID… | --all] [--service NAME] [--error CLASS]")
    console.print("drop      chimera dead-letters drop ID… | --all …")


def _report(what: str, selected: Sequence["DeadLetter"], as_json: bool, **more: object) -> None:
    if as_json:
        print(json.dumps({what.replace(" ", "_"): [one.id for one in selected], **more}))  # noqa: T201
    else:
        typer.echo(f"{what} {len(selected)} dead letter{'' if len(selected) == 1 else 's'}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
