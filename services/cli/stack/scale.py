"""`chimera scale SERVICE=N`: changes the number of processes of a service while the stack runs."""

import asyncio
import difflib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import typer

from deploy.local import control_socket
from deploy.local.state_file import StateFile
from schemas.flow import BY_TYPE, SERVICE, consumed_by
from services.cli.common.names import FACTORY
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.clients import KafkaError, open_admin
from shared.kafka.partitions import find_partitions


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


def parse(arguments: Sequence[str], directory: Path) -> dict[str, int]:
    """Parse SERVICE=N. Raises BadParameter for another form, Refusal for an unknown service or too many processes."""
    counts = {}
    for argument in arguments:
        name, equals, number = argument.partition("=")
        if not equals or not number.isdecimal():
            raise typer.BadParameter(f"{argument!r} is not of the form SERVICE=N, such as synthesis=3")
        counts[name] = int(number)
    partitions = asyncio.run(_count_partitions(StateFile.read(directory)))
    for name, replicas in counts.items():
        _check(name, replicas, partitions)
    return counts


async def _count_partitions(state: StateFile) -> dict[str, int]:
    """Count the partitions of Kafka topics; those that the flow declares while no Kafka answers."""
    if state.up and state.bootstrap:
        with suppress(KafkaError):
            async with open_admin(KafkaAccess(state.bootstrap)) as admin:
                found = await find_partitions(admin, FACTORY, BY_TYPE)
            return {name: len(partitions) for name, partitions in found.items()}
    return {name: flow.partitions for name, flow in BY_TYPE.items()}


def max_replicas(service: str, partitions: Mapping[str, int]) -> int:
    """Return the useful number of processes: one if only one may be active, otherwise one per partition it reads."""
    return 1 if SERVICE[service].single_active else max(partitions[flow.name] for flow in consumed_by(service))


def _check(name: str, replicas: int, partitions: Mapping[str, int]) -> None:
    if name not in SERVICE:
        close = difflib.get_close_matches(name, SERVICE, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Services are {', '.join(SERVICE)}"
        raise Refusal(f"there is no service {name!r}", hint)
    if replicas > (limit := max_replicas(name, partitions)):
        why = (
            "only one process of it may be active"
            if SERVICE[name].single_active
            else f"its Kafka topics have {limit} partitions"
        )
        raise Refusal(f"{name}={replicas} is too many: {why}", f"Use at most {name}={limit}")
