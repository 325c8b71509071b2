"""`chimera down`: end what runs in a folder, whoever started it, and say what was done."""

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

PATIENCE_S = 120.0
"""Services finish their calls within 30 s, then Valkey and Kafka close their files."""
LAST_S = 15.0
POLL_S = 0.05


def down(directory: Path, *, as_json: bool) -> None:
    """Stop in order, and by force what does not. Typed again while it stops, it kills."""
    started = time.monotonic()
    record = StateFile.read(directory)
    running = [process.id for process in record.processes]
    if record.supervisor and record.up:
        typer.echo(f"stopping {len(running)} processes; type it again to kill them", err=True)
        how = _end(record.supervisor, running)
        left = _left_over(directory)
    else:
        left = _left_over(directory)
        how = "left over" if left else "nothing"
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        document = {"how": how, "processes": len(running), "left_over": left, "seconds": seconds}
        print(json.dumps(document))  # noqa: T201
        return
    typer.echo(
        {
            "nothing": f"Nothing runs in {directory}.",
            "left over": f"The supervisor was gone; ended what it left behind: {', '.join(left)}.",
            "stopped": f"Stopped {len(running)} processes in {seconds} s. `chimera up` goes on where they stopped.",
            "killed": f"Killed after {seconds} s. Nothing acknowledged is lost; `chimera up` goes on.",
        }[how]
    )


def _end(supervisor: ProcessId, running: list[ProcessId]) -> str:
    """SIGTERM; after PATIENCE_S once more, which kills what it supervises; then SIGKILL. Tells how it went."""
    for number, patience_s, how in (
        (signal.SIGTERM, PATIENCE_S, "stopped"),
        (signal.SIGTERM, LAST_S, "killed"),
        (signal.SIGKILL, LAST_S, "killed"),
    ):
        if supervisor.alive():
            os.kill(supervisor.pid, number)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not any(process.alive() for process in (supervisor, *running)):
                return how
            time.sleep(POLL_S)
    raise Refusal(f"the supervisor (pid {supervisor.pid}) does not end", "Look at what holds it with `ps`")


def _left_over(directory: Path) -> list[str]:
    """End what a killed supervisor left behind, if there is anything."""
    if not (directory / "stack.json").exists():
        return []
    with claim(directory):
        left = orphans.end(directory.resolve())
        StateFile(ports=StateFile.read(directory).ports).write(directory)
    return left
