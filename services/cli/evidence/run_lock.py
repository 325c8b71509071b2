"""One command at a time that sends problems through a folder's factory."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shared.clock import utc_now
from shared.errors import Refusal


@contextmanager
def hold_lock(directory: Path, what: str) -> Iterator[None]:
    """Hold the folder's lock; `what` names the run. Raises Refusal, with the name of the run that holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    holder = directory / "evidence.json"
    try:
        lock = FileLock(directory / "evidence.lock", timeout=0).acquire()
    except Timeout as error:
        raise Refusal(f"in {directory} {_describe(holder)}", "Wait for its end, or stop it, and run again") from error
    with lock:
        started = utc_now().isoformat(timespec="seconds")
        holder.write_text(json.dumps({"what": what, "pid": os.getpid(), "started": started}), encoding="utf-8")
        yield


def _describe(holder: Path) -> str:
    try:
        run = json.loads(holder.read_text(encoding="utf-8"))
        return f"another run is under way: {run['what']} (pid {run['pid']}, since {run['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run is under way"
