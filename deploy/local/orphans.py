"""Ends the processes that a killed supervisor left running.

A process belongs to the stack when `stack.json` lists its pid and creation time, or when its environment has the
stack's variable; the variable also finds processes that services started themselves. A pid alone is not enough: another
process may have it now.
"""

from collections.abc import Iterator
from pathlib import Path

import psutil

from deploy.local.state_file import StateFile

MARK = "STACK_OF_CHIMERA"
"""Environment variable with the state folder, set for every process of a stack and inherited by its children.

It does not begin with CHIMERA_: services report unknown variables with that prefix."""


def find(directory: Path) -> Iterator[psutil.Process]:
    """Yield the running processes of the stack in `directory`."""
    recorded = {running.id.pid: running.id for running in StateFile.read(directory).processes}
    for process in psutil.process_iter():
        try:
            identity = recorded.get(process.pid)
            if (identity and identity.matches(process)) or process.environ().get(MARK) == str(directory):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it has ended, or belongs to another user


def end(directory: Path, grace_s: float = 10.0) -> list[str]:
    """Send SIGTERM, then SIGKILL after `grace_s`. Returns the ended processes, as "name (pid)"."""
    processes = [process for process in find(directory) if process.status() != psutil.STATUS_ZOMBIE]
    names = []
    for process in processes:
        try:
            names.append(f"{process.name()} ({process.pid})")
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(processes, timeout=grace_s)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=grace_s)
    return names
