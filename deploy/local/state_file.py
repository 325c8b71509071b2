"""`stack.json`: the processes, ports and addresses of a stack, for other commands and for the next start.

It contains Valkey's password, so only its owner can read it.
"""

import os
import time
from pathlib import Path

import psutil
from pydantic import BaseModel, Field, ValidationError

_CLOCK_SLACK_S = 2.0
"""The creation time of a process is computed from the boot time, which moves when the clock is set."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ProcessId(BaseModel, frozen=True):
    """A pid with its start, which tells it from a later process with the same pid."""

    pid: int
    created: float
    """Unix time, seconds."""
    started: str | None = Field(default=None, exclude_if=lambda started: started is None)
    """Id of the boot and clock ticks since then: unlike `created`, not changed when the clock is set. Linux only."""

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Return the id of a process that was just started and may have ended already."""
        try:
            return cls(pid=pid, created=psutil.Process(pid).create_time(), started=_read_start(pid))
        except psutil.NoSuchProcess:
            return cls(pid=pid, created=time.time())

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return self.matches(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def matches(self, process: psutil.Process) -> bool:
        if process.pid != self.pid:
            return False
        if self.started and (started := _read_start(process.pid)):
            return started == self.started
        return abs(process.create_time() - self.created) < _CLOCK_SLACK_S


def _read_start(pid: int) -> str | None:
    """Return when a process started, by a clock that nobody sets; `None` where the kernel does not report it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return f"{_BOOT_ID.read_text().strip()}/{fields[19]}"  # field 22, starttime: `man 5 proc_pid_stat`
    except (OSError, IndexError):
        return None


class RunningProcess(BaseModel, frozen=True):
    """One supervised operating-system process."""

    name: str
    id: ProcessId
    health_port: int | None
    restarts: int


class StateFile(BaseModel):
    """The file's content. After an orderly stop `supervisor` is `None`, `processes` is empty, and the ports stay."""

    supervisor: ProcessId | None = None
    bootstrap: str | None = None
    valkey_url: str | None = None
    ports: dict[str, int] = {}
    processes: list[RunningProcess] = []
    given_up: dict[str, str] = Field(default={}, exclude_if=lambda services: not services)
    """Services that crash again and again, with the reason. They are started again from time to time."""

    @classmethod
    def read(cls, directory: Path) -> "StateFile":
        """Return the state of the stack in `directory`; an empty state when the file is missing or damaged."""
        try:
            return cls.model_validate_json((directory / "stack.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    @property
    def up(self) -> bool:
        """Whether the supervisor runs."""
        return self.supervisor is not None and self.supervisor.alive()

    def write(self, directory: Path) -> None:
        """Replace the file atomically."""
        temporary = directory / "stack.json.new"
        temporary.touch(mode=0o600)
        temporary.write_text(self.model_dump_json(indent=1))
        os.replace(temporary, directory / "stack.json")
