"""Imports modules, then forks a process for each request: `python -P -m deploy.local.fork.server MODULE…`.

A forked process does not import what the server has imported, and shares that memory. Otherwise it is what
`python -P -m MODULE` starts: with its own session, environment, log file, name and command line.

The server has one thread, no event loop and no open file but its socket, so no fork copies a state in use. It must not
be given a module that starts a thread when it is imported.

Standard input is the socket. Messages are lines of JSON: `{"module", "env", "log"}` is answered by `{"pid"}`; when the
process ends, `{"ended": pid, "status"}` follows, with a status as in `subprocess`.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.parent_death import die_with_parent

_PR_SET_NAME = 15


def preload(modules: Sequence[str]) -> None:
    """Import modules. A `__main__` is imported for what it imports: the process that runs it executes it again."""
    for name in modules:
        importlib.import_module(name)
        if name.endswith(".__main__"):
            del sys.modules[name]
    gc.collect()
    gc.freeze()  # otherwise the garbage collector of each process writes to the memory that it shares


def serve(link: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns only in a forked process, with its request. Exits when the client disconnects."""
    end_with_server = die_with_parent(signal.SIGKILL)
    selector = selectors.DefaultSelector()
    selector.register(link, selectors.EVENT_READ)
    requests = link.makefile("rb")
    while True:
        for key, _ in selector.select():
            if key.data:
                selector.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(key.data, 0)
                _send(link, ended=key.data, status=os.waitstatus_to_exitcode(status))
            elif not (line := requests.readline()):
                sys.exit()
            elif pid := os.fork():
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
            else:
                end_with_server()
                os.setsid()
                _send(link, pid=os.getpid())  # not earlier: the client may signal the session from now on
                for other in [one.fd for one in selector.get_map().values() if one.data]:
                    os.close(other)
                selector.close()
                requests.close()
                link.detach()  # standard input, which `become` replaces
                return dict(json.loads(line))


def become(request: dict[str, Any]) -> None:
    """Run the module as `python -P -m MODULE` does."""
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)
    os.environ.clear()  # noqa: TID251 - the environment of a new process
    os.environ.update(request["env"])  # noqa: TID251
    sys.argv = [request["module"]]
    _set_title(request["module"])
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _send(link: socket.socket, **reply: int) -> None:
    link.sendall(json.dumps(reply).encode() + b"\n")


def _set_title(module: str) -> None:
    """Replace name and command line, as `ps` shows them. There is room for those of the server, which are longer."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, module.rpartition(".")[2].encode(), 0, 0, 0)
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, size = int(fields[45]), int(fields[46]) - int(fields[45])  # arg_start, arg_end: `man 5 proc_pid_stat`
    line = b"".join(word.encode() + b"\0" for word in (sys.executable, "-P", "-m", module))
    if start and len(line) <= size:
        ctypes.memmove(start, line.ljust(size, b"\0"), size)


def main() -> None:
    """Serve until the client disconnects."""
    preload(sys.argv[1:])
    become(serve(socket.socket(fileno=0)))


if __name__ == "__main__":
    main()
