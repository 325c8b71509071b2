"""chimera dead-letters: what could not be handled, and give it another try."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.common import options as opt
from services.cli.common.kafka_connection import Bootstrap, Factory, access, call_kafka
from services.cli.common.sanitize_terminal import as_text
from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.kafka.dlq.replay import DeadLetter

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What could not be handled: look, retry, drop.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Of letters, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All that wait, or those that --service and --error leave.")]
Service = Annotated[str | None, typer.Option(help="Only of this service.")]
Error = Annotated[str | None, typer.Option(help="Only of this class, such as Transient.")]


@app.command("list")
def list_(
    service: Service = None,
    error: Error = None,
    settled: Annotated[bool, typer.Option("--settled", help="Also those that were replayed or dropped.")] = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Dead letters that wait, the oldest first: who could not handle what, and why."""
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    found = [
        one
        for one in call_kafka(kafka, list_dead_letters(kafka, factory))
        if (settled or not one.settled) and service in (None, one.service) and error in (None, one.error)
    ]
    if as_json:
        print(json.dumps([_told(one) for one in found]))  # noqa: T201
    else:
        _table(found)


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Of a letter, as `list` shows it.")],
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """One dead letter with its headers and its bytes."""
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    (one,) = _chosen(call_kafka(kafka, list_dead_letters(kafka, factory)), [letter])
    whole = _told(one) | {
        "key": _text(one.key),
        "headers": {name: _text(value) for name, value in one.headers},
        "value": _text(one.value),
    }
    if as_json:
        print(json.dumps(whole))  # noqa: T201
        return
    console = Console()
    for name, value in whole.items():
        told = one.event.model_dump_json(indent=2) if name == "value" and one.event else value
        console.print(as_text(f"{name:9}", "bold"), as_text(told), soft_wrap=True)


@app.command()
def replay(
    ids: Ids = None,
    every: All = False,
    service: Service = None,
    error: Error = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Put records on the log again, for the one service that could not handle them."""
    from shared.kafka.dlq.replay import list_dead_letters
    from shared.kafka.dlq.replay import replay as work

    kafka = access(bootstrap, directory)
    chosen = _meant(call_kafka(kafka, list_dead_letters(kafka, factory)), ids or (), every, service, error)
    call_kafka(kafka, work(kafka, factory, chosen))
    _done("replayed", chosen, as_json)


@app.command()
def drop(
    ids: Ids = None,
    reason: Annotated[str, typer.Option(help="Kept with the rejected problem.")] = "dropped by hand",
    every: All = False,
    service: Service = None,
    error: Error = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Give records up: the problems that wait for them are rejected, and the planner asks for others."""
    from shared.kafka.dlq.replay import drop as work
    from shared.kafka.dlq.replay import list_dead_letters

    kafka = access(bootstrap, directory)
    chosen = _meant(call_kafka(kafka, list_dead_letters(kafka, factory)), ids or (), every, service, error)
    call_kafka(kafka, work(kafka, factory, chosen, reason))
    _done("dropped", chosen, as_json)


def _meant(
    found: Sequence["DeadLetter"], ids: Sequence[str], every: bool, service: str | None, error: str | None
) -> list["DeadLetter"]:
    """The letters that were named. Raises BadParameter for none or too much, Refusal for an id that is none."""
    if bool(ids) == every or (ids and (service or error)):
        raise typer.BadParameter("name letters by their IDs, or say --all, with or without --service and --error")
    waiting = [one for one in found if not one.settled]
    if ids:
        return _chosen(waiting, ids)
    return [one for one in waiting if service in (None, one.service) and error in (None, one.error)]


def _chosen(found: Iterable["DeadLetter"], ids: Sequence[str]) -> list["DeadLetter"]:
    by_id = {one.id: one for one in found}
    if unknown := [id_ for id_ in ids if id_ not in by_id]:
        raise Refusal(f"no dead letter {', '.join(unknown)} waits", "`chimera dead-letters list` shows those that do")
    return [by_id[id_] for id_ in ids]


def _told(one: "DeadLetter") -> dict[str, Any]:
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


def _table(found: Sequence["DeadLetter"]) -> None:
    console = Console()
    if not found:
        console.print("No dead letter waits.")
        return
    table = Table("id", "at", "service", "from", "problem", "why", box=None, header_style="dim", pad_edge=False)
    for one in found:
        told = _told(one)
        why = as_text(f"{one.settled + ': ' if one.settled else ''}{one.error}: {one.message}".splitlines()[0])
        table.add_row(one.id, told["at"][:19], one.service, one.name, str(told["problem"] or "")[:8], why)
    console.print(table)
    console.print(f"\nlook at one   chimera dead-letters show {found[0].id}")
    console.print("try again     chimera dead-letters replay ID… | --all [--service NAME] [--error CLASS]")
    console.print("give up       chimera dead-letters drop ID… | --all …")


def _done(what: str, chosen: Sequence["DeadLetter"], as_json: bool) -> None:
    if as_json:
        print(json.dumps({what: [one.id for one in chosen]}))  # noqa: T201
    else:
        typer.echo(f"{what} {len(chosen)} dead letter{'' if len(chosen) == 1 else 's'}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
