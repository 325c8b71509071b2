"""Starts the fork server and requests processes of it.

The server is started with the first process, and again if it has ended; its processes end with it.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from shared.parent_death import die_with_parent

AVAILABLE = sys.platform == "linux"


class ForkedProcess:
    """A process of the server, with the part of asyncio's Process that supervision needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Return the exit code, or the negative number of the signal."""
        return await asyncio.shield(self.ended)

    def send_signal(self, number: int) -> None:
        """Signal the process if it runs."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """Forks processes that run one of `modules`, or of others, which then import more."""

    def __init__(self, modules: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self._modules = modules
        self._env = env
        self._log = log
        self._lock = asyncio.Lock()
        self._server: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None]
        self._starting: asyncio.Future[ForkedProcess] | None = None
        self._forked: dict[int, ForkedProcess] = {}

    async def start(self) -> None:
        """Let the server import its modules, if it does not run already; returns before it has."""
        async with self._lock:
            if self._server is None or self._reading.done():
                await self._start()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as log:
            self._server = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "deploy.local.fork.server", *self._modules),
                env=self._env,
                stdin=theirs.fileno(),
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._reading = asyncio.create_task(self._read(reader), name="read from the fork server")

    async def fork(self, module: str, env: Mapping[str, str], log: Path) -> ForkedProcess:
        """Start a process. Raises OSError when the server cannot be started, ConnectionError when it ends."""
        return await asyncio.shield(asyncio.create_task(self._fork(module, env, log)))  # the reply must be read

    async def _fork(self, module: str, env: Mapping[str, str], log: Path) -> ForkedProcess:
        await self.start()
        async with self._lock:
            starting: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
            self._starting = starting
            request = {"module": module, "env": dict(env), "log": str(log)}
            self._writer.write(json.dumps(request).encode() + b"\n")
            return await starting  # may have ended already

    async def stop(self) -> None:
        """End the server, and processes that still run."""
        if self._server is not None:
            self._writer.close()
            await self._reading
            await self._server.wait()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Handle the server's messages until it ends."""
        with suppress(ConnectionError):
            async for line in reader:
                match json.loads(line):
                    case {"pid": pid}:
                        self._started(pid)
                    case {"ended": pid, "status": status}:
                        self._started(pid).ended.set_result(status)
                        del self._forked[pid]
        self._writer.close()
        for process in self._forked.values():  # the kernel kills them
            process.ended.set_result(-signal.SIGKILL)
        self._forked.clear()
        if self._starting is not None and not self._starting.done():
            self._starting.set_exception(ConnectionResetError(f"the fork server ended: read {self._log}"))

    def _started(self, pid: int) -> ForkedProcess:
        """Return a process. One that is not known is the one being started, which may end before it says so."""
        if pid not in self._forked and self._starting is not None:
            self._forked[pid] = ForkedProcess(pid)
            self._starting.set_result(self._forked[pid])
        return self._forked[pid]
