"""One supervised process: started, restarted with back-off after a crash, given up after too many, stopped in order.

Each child leads its own session: Ctrl-C in a terminal reaches only the supervisor, and a child can be killed with all
its children. On Linux the kernel signals a child when the thread that started it ends (PR_SET_PDEATHSIG), so start
children from a thread that lives as long as the supervisor.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.events import Kind, OnEvent, StackEvent
from deploy.local.fork.client import ForkServer
from deploy.local.state_file import ProcessId, RunningProcess
from shared.errors import Refusal
from shared.parent_death import die_with_parent


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Give a process up at the `max_crashes`-th crash within `window_s`; before, restart after 0.25, 0.5, 1 … s."""

    max_crashes: int = 5
    window_s: float = 60.0
    first_delay_s: float = 0.25
    longest_delay_s: float = 10.0
    retry_s: float | None = None
    """Wait before a process that was given up is started again; `None`: never."""

    def delay(self, crashes: int) -> float:
        return min(self.first_delay_s * 2.0 ** (crashes - 1), self.longest_delay_s)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line with its environment, log file, health port and time to stop."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path | None = None
    health_port: int | None = None
    grace_s: float = 30.0
    orphan_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor dies."""
    module: str = ""
    """The module that `argv` runs: a fork server can start it."""


class Running(Protocol):
    """A process that was started: a part of `asyncio.subprocess.Process`."""

    pid: int

    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def send_signal(self, number: int, /) -> None: ...


class Process:
    """Runs a Command until `stop()`.

    Calls `on_change` after every start and exit, and `on_failure` when the process is given up.
    """

    def __init__(
        self,
        command: Command,
        policy: RestartPolicy,
        on_event: OnEvent,
        on_change: Callable[[], None],
        on_failure: Callable[[Refusal], None],
        fork_server: ForkServer | None = None,
    ) -> None:
        self.command = command
        self.restarts = 0
        self.given_up: str | None = None
        """Why it was given up, until it is started again."""
        self._policy = policy
        self._on_event = on_event
        self._on_change = on_change
        self._on_failure = on_failure
        self._fork_server = fork_server
        self._crashes: deque[float] = deque()
        self._stopping = asyncio.Event()
        self._process: Running | None = None
        self._id: ProcessId | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def running(self) -> RunningProcess | None:
        """`None` while it waits for its restart, and after it has ended."""
        if self._id is None:
            return None
        return RunningProcess(
            name=self.command.name, id=self._id, health_port=self.command.health_port, restarts=self.restarts
        )

    async def start(self) -> None:
        """Start it for the first time. Raises Refusal when the program cannot be run."""
        self._notify("starting", "starting")
        process = await self._spawn()
        self._supervision = asyncio.create_task(self._supervise(process), name=f"supervise {self.command.name}")

    async def stop(self) -> None:
        """Send SIGTERM, then SIGKILL after the grace period; return when the process and its children have ended."""
        self._stopping.set()
        if self._process is not None and self._supervision is not None:
            self.send(signal.SIGTERM)
            done, _ = await asyncio.wait([self._supervision], timeout=self.command.grace_s)
            if not done:
                self._notify("killed", f"killed: did not stop within {self.command.grace_s:g} s")
                self.kill_family()
                await asyncio.wait([self._supervision])
            self._notify("stopped", "stopped")

    def send(self, number: signal.Signals) -> None:
        """Signal the process if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def kill_family(self) -> None:
        """Send SIGKILL to the process and its children."""
        if self._id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._id.pid, signal.SIGKILL)

    def abandon(self) -> None:
        """Kill it without waiting for its end."""
        self._stopping.set()
        self.kill_family()

    async def _spawn(self) -> Running:
        try:
            self._process = await self._execute()
        except OSError as error:
            raise Refusal(
                f"{self.command.name} cannot be started: {error.strerror} ({error.filename})", "Check the installation"
            ) from error
        self._id = ProcessId.of(self._process.pid)
        self._on_change()
        return self._process

    async def _execute(self) -> Running:
        command = self.command
        with command.log.open("ab") as log:
            if command.module and self._fork_server:
                return await self._fork_server.fork(command.module, command.env, command.log)
            return await asyncio.create_subprocess_exec(
                *command.argv,
                env=command.env,
                cwd=command.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(command.orphan_signal) if sys.platform == "linux" else None,
            )

    async def _supervise(self, process: Running) -> None:
        """Restart the process each time it ends, until `stop()` or until it is given up."""
        try:
            while True:
                if self._stopping.is_set():  # `stop()` was called while this process started
                    self.send(signal.SIGTERM)
                exit_code = await process.wait()
                self.kill_family()
                self._id = None
                if self._stopping.is_set():
                    return
                self._on_change()
                delay = self._after_exit(exit_code)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), delay)
                    return
                self.restarts += 1
                self.given_up = None
                process = await self._spawn()
        except Refusal as error:
            self._give_up(error)
        except OSError as error:  # the state folder is not writable any more
            self._give_up(Refusal(f"{self.command.name} is not supervised: {error.strerror}", "Free disk space"))

    def _give_up(self, error: Refusal) -> None:
        self.given_up = error.message
        self._notify("gave_up", error.message)
        self._on_change()
        self._on_failure(error)

    def _after_exit(self, exit_code: int) -> float:
        """Return the seconds until the restart. Raises Refusal after too many crashes without a later retry."""
        now = time.monotonic()
        self._crashes.append(now)
        while self._crashes[0] < now - self._policy.window_s:
            self._crashes.popleft()
        crashes, how = len(self._crashes), _describe(exit_code)
        if crashes >= self._policy.max_crashes:
            error = Refusal(
                f"{self.command.name} died {crashes} times within {self._policy.window_s:g} s, last with {how}",
                f"Read {self.command.log}, fix the cause and start again; acknowledged work is kept",
                self.last_lines(),
            )
            if self._policy.retry_s is None:
                raise error
            self._crashes.clear()
            self._give_up(error)
            return self._policy.retry_s
        delay = self._policy.delay(crashes)
        self._notify("died", f"died with {how}; restarts in {delay:g} s")
        return delay

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        with self.command.log.open("rb") as file:
            file.seek(max(0, self.command.log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])

    def _notify(self, kind: Kind, message: str) -> None:
        self._on_event(StackEvent(kind, self.command.name, message))


def _describe(exit_code: int) -> str:
    return f"signal {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"
