"""Starts the supervisor's process before the configuration is read: it imports its modules meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def start_supervisor() -> Iterator["subprocess.Popen[str]"]:
    """Start it in its own session. It waits for a configuration on its standard input, and ends without one.

    An error or Ctrl-C in the block stops it.
    """
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "services.cli.stack.supervisor_main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise
