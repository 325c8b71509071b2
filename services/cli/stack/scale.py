"""`chimera scale SERVICE=N`: more or fewer processes of a service, while the stack runs."""

import asyncio
import difflib
import json
from collections.abc import Sequence
from pathlib import Path

import typer

from deploy.local import control_socket
from schemas.flow import SERVICE, consumed_by
from shared.errors import Refusal


def scale(directory: Path, wanted: dict[str, int], *, as_json: bool) -> None:
    """Have the supervisor do it; returns when the new processes are ready. Raises StackError."""
    done = asyncio.run(control_socket.request(directory, wanted))
    if as_json:
        print(json.dumps(done))  # noqa: T201
        return
    for name, change in done.items():
        typer.echo(describe(name, change["before"], change["after"]))


def describe(name: str, before: int, after: int) -> str:
    """What was done, for a person."""
    noun = "process" if after == 1 else "processes"
    if before == after:
        return f"{name}: {after} {noun}, as before"
    return f"{name}: {before} → {after} {noun}" + ("; its backlog waits" if after == 0 else "")


def parse(arguments: Sequence[str]) -> dict[str, int]:
    """Read SERVICE=N. Raises BadParameter for what is not of that form, Refusal for what cannot be."""
    wanted = {}
    for argument in arguments:
        name, equals, number = argument.partition("=")
        if not equals or not number.isdecimal():
            raise typer.BadParameter(f"{argument!r} is not of the form SERVICE=N, like synthesis=3")
        wanted[name] = int(number)
    for name, replicas in wanted.items():
        _check(name, replicas)
    return wanted


def max_replicas(service: str) -> int:
    """So many processes of a service have work: one if it is sole, else one a partition of what it reads."""
    return 1 if SERVICE[service].single_active else max(flow.partitions for flow in consumed_by(service))


def _check(name: str, replicas: int) -> None:
    if name not in SERVICE:
        close = difflib.get_close_matches(name, SERVICE, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Services are {', '.join(SERVICE)}"
        raise Refusal(f"there is no service {name!r}", hint)
    if replicas > (limit := max_replicas(name)):
        why = (
            "only one replica of it may work"
            if SERVICE[name].single_active
            else f"what it reads has {limit} partitions"
        )
        raise Refusal(f"{name}={replicas} is too many: {why}", f"Give {name}={limit} at most")
