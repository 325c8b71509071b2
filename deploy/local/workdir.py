"""The state folder of a stack: its lock, its free disk space, its log files."""

import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from deploy.local.state_file import StateFile
from shared.errors import Refusal

MIN_FREE_BYTES = 10**9


def claim(directory: Path) -> FileLock:
    """Create and lock the folder, until the lock is released or this process ends. Raises Refusal when it is locked."""
    try:
        (directory / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{directory} cannot be used: {error.strerror}", "Give another folder") from error
    lock = FileLock(directory / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        holder = StateFile.read(directory).supervisor
        raise Refusal(
            f"a stack already runs in {directory}" + (f" (pid {holder.pid})" if holder else ""),
            "Use that stack, stop it, or give another folder",
        ) from error
    return lock


def check_space(directory: Path) -> None:
    """Raise Refusal when the disk is almost full."""
    free = shutil.disk_usage(directory).free
    if free < MIN_FREE_BYTES:
        raise Refusal(
            f"only {free / 1e6:.0f} MB are free at {directory}, {MIN_FREE_BYTES / 1e6:.0f} MB are needed",
            "Free disk space or give a folder on another disk",
        )


def rotate_log(directory: Path, name: str) -> Path:
    """Return the log file of a new run; the log of the run before is kept as `NAME.log.1`."""
    log = directory / "logs" / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    return log
