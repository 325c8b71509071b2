"""The state folder of a stack: its lock, its free disk space, its log files."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from deploy.local.state_file import StateFile
from shared.errors import Refusal

MIN_FREE_BYTES = 10**9
MAX_LOG_BYTES = 20_000_000
"""Size of a log file at which its content moves to `NAME.log.1`."""
PRIVATE = ("logs", "kafka", "valkey")
"""Folders that other users of the machine may not read. The dataset keeps the mode that its owner gave it."""


def create(directory: Path) -> None:
    """Create the folder, private to its user. Raises Refusal when that fails."""
    try:
        if not directory.exists():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in PRIVATE:
            (directory / name).mkdir(mode=0o700, exist_ok=True)
            with suppress(PermissionError):  # it belongs to another user
                (directory / name).chmod(0o700)  # an earlier version created it with another mode
    except OSError as error:
        raise Refusal(f"{directory} cannot be used: {error.strerror}", "Give another folder") from error


def claim(directory: Path) -> FileLock:
    """Create and lock the folder, until the lock is released or this process ends. Raises Refusal when it is locked."""
    create(directory)
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


def limit_logs(directory: Path) -> None:
    """Move the content of each large log file to `NAME.log.1`. Lines written during the copy are lost.

    The file is truncated in place, because its process keeps it open for appending.
    """
    for log in (directory / "logs").glob("*.log"):
        if log.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def rotate_log(directory: Path, name: str) -> Path:
    """Return the log file of a new run; the log of the run before is kept as `NAME.log.1`."""
    log = directory / "logs" / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    return log
