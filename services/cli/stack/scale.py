"""`chimera scale SERVICE=N`: changes the number of processes of a service while the stack runs."""

import asyncio
import difflib
import json
from collections.abc import Sequence
from pathlib import Path

import typer

from deploy.local import control_socket
from schemas.flow import SERVICE, consumed_by
from shared.errors import Refusal


def scale(directory: Path, counts: dict[str, int], *, as_json: bool) -> None:
    """Send the request to the supervisor; return when new processes are ready. Raises Refusal."""
    done = asyncio.run(control_socket.request(directory, counts))
    if as_json:
        print(json.dumps(done))  # noqa: T201
        return
    for name, change in done.items():
        typer.echo(describe(name, change["before"], change["after"]))


def describe(name: str, before: int, after: int) -> str:
    """Return a line for a person."""
    noun = "process" if after == 1 else "processes"
    if before == after:
        return f"{name}: {after} {noun}, unchanged"
    return f"{name}: {before} → {after} {noun}" + ("; paused" if after == 0 else "")


def parse(arguments: Sequence[str]) -> dict[str, int]:
    """Parse SERVICE=N. Raises BadParameter for another form, Refusal for an unknown service or too many processes."""
    counts = {}
    for argument in arguments:
        name, equals, number = argument.partition("=")
        if not equals or not number.isdecimal():
            raise typer.BadParameter(f"{argument!r} is not of the form SERVICE=N, such as synthesis=3")
        counts[name] = int(number)
    for name, replicas in counts.items():
        _check(name, replicas)
    return counts


def max_replicas(service: str) -> int:
    """Return the useful number of processes: one if only one may be active, otherwise one per partition it reads."""
    return 1 if SERVICE[service].single_active else max(flow.partitions for flow in consumed_by(service))


def _check(name: str, replicas: int) -> None:
    if name not in SERVICE:
        close = difflib.get_close_matches(name, SERVICE, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Services are {', '.join(SERVICE)}"
        raise Refusal(f"there is no service {name!r}", hint)
    if replicas > (limit := max_replicas(name)):
        why = (
            "only one process of it may be active"
            if SERVICE[name].single_active
            else f"its Kafka topics have {limit} partitions"
        )
        raise Refusal(f"{name}={replicas} is too many: {why}", f"Use at most {name}={limit}")
