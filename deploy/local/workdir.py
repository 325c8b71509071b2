"""The state folder of a stack: one supervisor at a time, room to work."""

import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from deploy.local.errors import StackError
from deploy.local.state_file import StateFile

LEAST_FREE_BYTES = 10**9


def claim(directory: Path) -> FileLock:
    """Make the folder and lock it until the lock is released or this process ends, however it ends."""
    try:
        (directory / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"{directory} cannot be used: {error.strerror}", "give another folder") from error
    lock = FileLock(directory / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        holder = StateFile.read(directory).supervisor
        raise StackError(
            f"a stack already runs in {directory}" + (f" (pid {holder.pid})" if holder else ""),
            "use that one, stop it, or give another folder",
        ) from error
    return lock


def check_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        raise StackError(
            f"only {free / 1e6:.0f} MB are free at {directory}, {LEAST_FREE_BYTES / 1e6:.0f} MB are needed",
            "make room or give a folder on another disk",
        )


def rotate_log(directory: Path, name: str) -> Path:
    """Return the log file for the run that begins; the one before it is kept as `NAME.log.1`."""
    log = directory / "logs" / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    return log
