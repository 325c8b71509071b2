"""The state of a stack, as a document and as text."""

from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.common.budget_status import describe
from services.cli.run.closed_topics import describe as topics
from services.cli.run.summary import duration, rows_of
from services.cli.stack.state import Progress, ServiceState, State, gather
from shared.text.controls import strip_controls

_COLUMNS = ("service", "processes", "ready", "lag", "oldest", "events/s", "done", "dead", "retries")
_NUMBERS = frozenset(_COLUMNS[3:])
_LONG = ("processes", "ready")


async def report(directory: Path, width: int, colors: Literal["standard", "256", "truecolor"] | None) -> dict[str, Any]:
    """Return `document`, for a program, and `text`, for a terminal. Raises Refusal as `gather`."""
    state = await gather(directory)
    console = Console(file=StringIO(), width=width, color_system=colors, force_terminal=bool(colors), highlight=False)
    with console.capture() as capture:
        for part in render(state, directory):
            console.print(part)
    return {"document": state.document(), "text": capture.get()}


def render(state: State, directory: Path) -> list[Text | Table]:
    """Return the parts of the output for a person."""
    where = "" if directory == Path(".chimera") else f" --dir {directory}"
    plan = [Text(_progress(state.progress))] if state.progress else []
    plan += [Text(f"budget    {describe(state.budget)}")] if state.budget else []
    plan += map(Text, topics(state.closed))
    if state.supervisor is None:
        was_up = (directory / "logs" / "supervisor.log").exists()
        next_step = (
            f"chimera up{where}\nwhy it ended  chimera logs supervisor{where}" if was_up else f"chimera up{where}"
        )
        return [Text(f"Nothing runs in {directory}."), *plan, Text(f"next          {next_step}")]
    unready = [
        Text(f"given up   {reason}; it is started again from time to time", "red") for reason in state.given_up.values()
    ]
    unready += [
        Text(strip_controls(f"not ready  {reason}"), "yellow") for one in state.services for reason in one.unready
    ]
    unready += [
        Text(strip_controls(f"waits      {reason}"), "yellow") for one in state.services for reason in one.waits
    ]
    up = Text(f"Up in {directory} (supervisor pid {state.supervisor})")
    return [up, *_infrastructure(state), _table(state), *unready, *plan]


def _progress(progress: Progress) -> str:
    parts = {"reserve": progress.reserve, "aside": progress.aside, "rejected": progress.rejected}
    others = " · ".join(f"{count} {name}" for name, count in parts.items())
    return f"plan      {rows_of(progress.admitted, progress.wanted)} in · {others}"


def _infrastructure(state: State) -> list[Text | Table]:
    lines: list[Text | Table] = []
    for one in state.infrastructure:
        line = Text(f"{one['name']:9} ").append(
            *(("answers", "green") if one["answers"] else ("no answer", "bold red"))
        )
        line.append(f" at {one['address']}, pid {one['pid'] or 'none'}{_restarts(one['restarts'])}", "dim")
        lines.append(line)
    return lines


def _table(state: State) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in _COLUMNS:
        table.add_column(
            name, justify="right" if name in _NUMBERS else "left", no_wrap=name not in _LONG, overflow="fold"
        )
    for service in state.services:
        table.add_row(*_row(service))
    return table


def _row(service: ServiceState) -> list[Text]:
    pids = " ".join(f"{one['pid']}{_restarts(one['restarts'])}" for one in service.processes)
    cells = [
        Text(service.service),
        Text(f"{len(service.processes)}  ").append(pids, "dim"),
        _ready(service),
        Text("?" if service.lag is None else f"{service.lag}"),
        Text("" if service.oldest_s is None else duration(service.oldest_s)),
        Text(f"{service.events_per_s:.1f}"),
        Text(f"{service.done}"),
        Text(f"{service.dead_letters}", "red" if service.dead_letters else ""),
        Text(f"{service.retries}", "yellow" if service.retries else ""),
    ]
    return cells if service.lag is not None or service.done else [*cells[:3], *[Text()] * 6]


def _ready(service: ServiceState) -> Text:
    if not service.processes:
        return Text("none", "yellow")
    if service.unready:
        return Text(f"{len(service.processes) - len(service.unready)} of {len(service.processes)}", "yellow")
    return Text("yes", "green")


def _restarts(count: object) -> str:
    return f" ({count} restarts)" if count else ""
