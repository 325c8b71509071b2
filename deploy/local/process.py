"""One supervised process: started, restarted with back-off when it dies, given up loudly, stopped in order.

Each child leads a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone and a whole family can
be ended. On Linux the kernel signals a child when the thread that started it ends (PR_SET_PDEATHSIG): start children
from a thread that lives as long as the supervisor.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.events import Kind, OnEvent, StackEvent
from deploy.local.state_file import ProcessId, RunningProcess

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Given up at the `deaths`-th death within `window_s`; until then restarted after 0.25, 0.5, 1, 2 … seconds."""

    max_crashes: int = 5
    window_s: float = 60.0
    first_delay_s: float = 0.25
    longest_delay_s: float = 10.0

    def delay(self, deaths: int) -> float:
        return min(self.first_delay_s * 2.0 ** (deaths - 1), self.longest_delay_s)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and how."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path | None = None
    health_port: int | None = None
    grace_s: float = 30.0
    orphan_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor dies."""


class Process:
    """Runs a Command until `stop()`.

    `on_change` is called after every start and death, `on_failure` once, when the process is given up.
    """

    def __init__(
        self,
        command: Command,
        policy: RestartPolicy,
        on_event: OnEvent,
        on_change: Callable[[], None],
        on_failure: Callable[[StackError], None],
    ) -> None:
        self.command = command
        self.restarts = 0
        self._policy = policy
        self._on_event = on_event
        self._on_change = on_change
        self._on_failure = on_failure
        self._deaths: deque[float] = deque()
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._id: ProcessId | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def running(self) -> RunningProcess | None:
        """None while it is dead or waits to be restarted."""
        if self._id is None:
            return None
        return RunningProcess(
            name=self.command.name, id=self._id, health_port=self.command.health_port, restarts=self.restarts
        )

    async def start(self) -> None:
        """Start it for the first time. Raises StackError when the program cannot be run at all."""
        self._notify("starting", "starting")
        process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(process), name=f"keep {self.command.name}")

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after the grace period; returns when the process and all it started are gone."""
        self._stopping.set()
        if self._process is not None and self._keeper is not None:
            self.send(signal.SIGTERM)
            done, _ = await asyncio.wait([self._keeper], timeout=self.command.grace_s)
            if not done:
                self._notify("killed", f"killed: did not stop within {self.command.grace_s:g} s")
                self.kill_family()
                await asyncio.wait([self._keeper])
            self._notify("stopped", "stopped")

    def send(self, number: signal.Signals) -> None:
        """Signal the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def kill_family(self) -> None:
        """SIGKILL for the process and what it started."""
        if self._id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._id.pid, signal.SIGKILL)

    def abandon(self) -> None:
        """End it at once and do not wait."""
        self._stopping.set()
        self.kill_family()

    async def _spawn(self) -> asyncio.subprocess.Process:
        command = self.command
        try:
            with command.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *command.argv,
                    env=command.env,
                    cwd=command.cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent(command.orphan_signal) if sys.platform == "linux" else None,
                )
        except OSError as error:
            raise StackError(
                f"{command.name} cannot be started: {error.strerror} ({error.filename})", "check the installation"
            ) from error
        self._id = ProcessId.of(self._process.pid)
        self._on_change()
        return self._process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the end, and begin again until told to stop or not worth it."""
        try:
            while True:
                if self._stopping.is_set():  # it was told so while this process came up
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
                process = await self._spawn()
        except StackError as error:
            self._give_up(error)
        except OSError as error:  # the state folder cannot be written any more
            self._give_up(
                StackError(f"{self.command.name} is not supervised: {error.strerror}", "make room on the disk")
            )

    def _give_up(self, error: StackError) -> None:
        self._notify("gave_up", error.message)
        self._on_failure(error)

    def _after_exit(self, exit_code: int) -> float:
        """Seconds until the restart. Raises StackError when it died too often."""
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - self._policy.window_s:
            self._deaths.popleft()
        deaths, how = len(self._deaths), _describe(exit_code)
        if deaths >= self._policy.max_crashes:
            raise StackError(
                f"{self.command.name} died {deaths} times within {self._policy.window_s:g} s, last with {how}",
                f"read {self.command.log}, mend the cause and start again; what was acknowledged is kept",
                self.last_lines(),
            )
        delay = self._policy.delay(deaths)
        self._notify("died", f"died with {how}; starts again in {delay:g} s")
        return delay

    def last_lines(self, count: int = 15) -> str:
        with self.command.log.open("rb") as file:
            file.seek(max(0, self.command.log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])

    def _notify(self, kind: Kind, message: str) -> None:
        self._on_event(StackEvent(kind, self.command.name, message))


def _describe(exit_code: int) -> str:
    return f"signal {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: runs between fork and exec, so it only makes system calls."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl  # looked up here: between fork and exec there is no importing and no locking

    def setup() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return setup
