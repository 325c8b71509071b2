"""`chimera down`: stops the stack in a folder, and reports what it did."""

import json
import os
import signal
import time
from pathlib import Path

import typer

from deploy.local import orphans
from deploy.local.state_file import ProcessId, StateFile
from deploy.local.workdir import claim
from shared.errors import Refusal

STOP_S = 120.0
"""Longest wait after the first SIGTERM: services finish their calls within 30 s, then Valkey and Kafka close files."""
KILL_S = 15.0
"""Longest wait after the second SIGTERM, and after SIGKILL."""
POLL_S = 0.05


def down(directory: Path, *, as_json: bool) -> None:
    """Stop the stack in order; kill it after a time. A second call while it stops kills it."""
    started = time.monotonic()
    state = StateFile.read(directory)
    running = [process.id for process in state.processes]
    if state.supervisor and state.up:
        typer.echo(f"stopping {len(running)} processes; run `chimera down` again to kill them", err=True)
        how = _end(state.supervisor, running)
        left_over = _end_orphans(directory)
    else:
        left_over = _end_orphans(directory)
        how = "left over" if left_over else "nothing"
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        document = {"how": how, "processes": len(running), "left_over": left_over, "seconds": seconds}
        print(json.dumps(document))  # noqa: T201
        return
    typer.echo(
        {
            "nothing": f"Nothing runs in {directory}.",
            "left over": f"The supervisor had ended; ended its processes: {', '.join(left_over)}.",
            "stopped": f"Stopped {len(running)} processes in {seconds} s. `chimera up` continues where they stopped.",
            "killed": f"Killed after {seconds} s. Acknowledged work is kept; `chimera up` continues.",
        }[how]
    )


def _end(supervisor: ProcessId, running: list[ProcessId]) -> str:
    """Send SIGTERM; after STOP_S again, which kills the processes; then SIGKILL. Returns how it ended."""
    for number, timeout_s, how in (
        (signal.SIGTERM, STOP_S, "stopped"),
        (signal.SIGTERM, KILL_S, "killed"),
        (signal.SIGKILL, KILL_S, "killed"),
    ):
        if supervisor.alive():
            os.kill(supervisor.pid, number)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not any(process.alive() for process in (supervisor, *running)):
                return how
            time.sleep(POLL_S)
    raise Refusal(f"the supervisor (pid {supervisor.pid}) does not end", "Look with `ps` at what blocks it")


def _end_orphans(directory: Path) -> list[str]:
    """End the processes of a killed supervisor, if there are any."""
    if not (directory / "stack.json").exists():
        return []
    with claim(directory):
        left_over = orphans.end(directory.resolve())
        StateFile(ports=StateFile.read(directory).ports).write(directory)
    return left_over
