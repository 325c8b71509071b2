"""Ends what an earlier supervisor left running when it was killed.

A process belongs to the stack when its pid and creation time are on record, or when its environment carries the
stack's mark; the mark also finds workers that services started themselves. A pid alone never counts: it may be somebody
else's by now.
"""

from collections.abc import Iterator
from pathlib import Path

import psutil

from deploy.local.state_file import StateFile

MARK = "STACK_OF_CHIMERA"
"""Environment variable with the state folder, set for every process of a stack and inherited by theirs.

It does not begin as settings do: a process names each of those that it does not know."""


def find(directory: Path) -> Iterator[psutil.Process]:
    recorded = {running.id.pid: running.id for running in StateFile.read(directory).processes}
    for process in psutil.process_iter():
        try:
            identity = recorded.get(process.pid)
            if (identity and identity.matches(process)) or process.environ().get(MARK) == str(directory):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # gone, or another user's


def end(directory: Path, grace_s: float = 10.0) -> list[str]:
    """SIGTERM, then SIGKILL after `grace_s`. Returns what was found, as "name (pid)"."""
    found = [process for process in find(directory) if process.status() != psutil.STATUS_ZOMBIE]
    names = []
    for process in found:
        try:
            names.append(f"{process.name()} ({process.pid})")
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(found, timeout=grace_s)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=grace_s)
    return names
