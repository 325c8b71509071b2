"""Supervisor of the one-machine stack: Kafka, Valkey and the given services, each as its own process.

    async with Stack(Path(".chimera")) as stack:
        await stack.start_infrastructure()
        ...                                     # create Kafka topics at stack.bootstrap
        await stack.start_services([ProcessSpec("planner"), ProcessSpec("synthesis", replicas=2)])
        await stack.failed                      # raises Refusal when a process has died too often

At the end of the block it stops the services, then Valkey, then Kafka; a cancellation while it stops kills everything.
The state stays in the folder: `kafka/`, `valkey/`, `logs/`, `stack.json`. It knows no service by name.
"""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from deploy.local import health, kafka_jars, orphans, workdir
from deploy.local.download import download
from deploy.local.events import Kind, OnEvent, StackEvent
from deploy.local.fork import client as fork
from deploy.local.fork.client import ForkServer
from deploy.local.kafka import Kafka
from deploy.local.ports import LOOPBACK, Ports
from deploy.local.process import Command, Process, RestartPolicy
from deploy.local.process_spec import UTF_8, ProcessSpec, inherited_environment
from deploy.local.state_file import ProcessId, RunningProcess, StateFile
from deploy.local.valkey import Valkey
from shared.errors import Refusal

READY_TIMEOUT_S = 60.0
LOG_CHECK_S = 10.0
"""How often the size of log files is checked."""
T = TypeVar("T")
DEFAULT_RESTART = RestartPolicy()


class Stack:
    """See the top of this file. Every failure is a Refusal, raised by a method or through `failed`."""

    failed: asyncio.Future[None]
    """Never completes; raises Refusal when a process is given up."""

    def __init__(
        self,
        directory: Path,
        *,
        factory: str = "chimera",
        on_event: OnEvent = lambda _event: None,
        restart: RestartPolicy = DEFAULT_RESTART,
        preload: Sequence[str] = (),
    ) -> None:
        """Services are forked from a process that has imported the modules `preload`, which start no thread."""
        self.directory = directory.resolve()
        self.timings: dict[str, float] = {}
        """Seconds until ready, by process, and `services` for all of them; `kafka` without the download of its jars."""
        self._factory = factory
        self._on_event = on_event
        self._restart = restart
        self._specs: dict[str, ProcessSpec] = {}
        self._services: dict[str, Process] = {}
        self._servers: dict[str, Process] = {}
        self._preload = preload
        self._fork_server: ForkServer | None = None
        self._starting: dict[str, asyncio.Future[None]] = {}
        """By the name of an instance that is being started; raises Refusal when it is given up."""

    async def __aenter__(self) -> Self:
        """Lock the folder and end the processes of an earlier supervisor; start nothing yet."""
        self._lock = workdir.claim(self.directory)
        try:
            workdir.check_space(self.directory)
            ended = await asyncio.to_thread(orphans.end, self.directory)
            self._ports = Ports(StateFile.read(self.directory).ports)
            self._valkey = Valkey(self.directory / "valkey", self._ports.take("valkey"))
            self._supervisor = ProcessId.of(os.getpid())
            self._write_state()
        except BaseException:
            self._lock.release()
            raise
        self.failed = asyncio.get_running_loop().create_future()
        if self._preload and fork.AVAILABLE:
            self._fork_server = ForkServer(self._preload, self._environment(), self._log("fork-server"))
        self._log_limit = asyncio.create_task(self._limit_logs())
        if ended:
            self._notify("orphans", "stack", f"ended processes of an earlier run: {', '.join(ended)}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log_limit.cancel()
        try:
            await self._stop()
            StateFile(ports=self._ports.taken).write(self.directory)
        finally:
            self._ports.release()
            if not self.failed.cancel() and not self.failed.cancelled():
                self.failed.exception()  # mark it as retrieved, even if the caller did not await it
            self._lock.release()

    async def start_infrastructure(self) -> None:
        """Download missing jars, start Kafka and Valkey concurrently, return when both are ready."""
        if self._fork_server:
            await self._fork_server.start()  # it imports meanwhile
        jars = await download(self._on_event)
        folder, ports = self.directory, self._ports
        kafka = Kafka(folder / "kafka", ports.take("kafka"), ports.take("kafka-controller"), jars)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._start_server(kafka))
                tasks.create_task(self._start_server(self._valkey))
        except* Refusal as errors:
            raise errors.exceptions[0] from None

    async def start_services(self, processes: Sequence[ProcessSpec], timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start every instance and return when all of them are ready."""
        started = time.monotonic()
        self._specs |= {process.name: process for process in processes}
        await self._start_instances(
            [(process, name) for process in processes for name in process.instances()], timeout_s
        )
        self.timings["services"] = time.monotonic() - started

    async def scale(self, name: str, replicas: int, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start or stop instances of a running service until there are `replicas`."""
        before = [instance for instance in self._specs[name].instances() if instance in self._services]
        process = self._specs[name] = replace(self._specs[name], replicas=replicas)
        after = process.instances()
        await asyncio.gather(*(self._stop_instance(extra) for extra in before if extra not in after))
        self._write_state()
        await self._start_instances([(process, new) for new in after if new not in before], timeout_s)

    @property
    def bootstrap(self) -> str:
        """Kafka's address, "host:port"."""
        return f"{LOOPBACK}:{self._ports.take('kafka')}"

    @property
    def valkey_url(self) -> str:
        return self._valkey.url

    def replicas(self, name: str) -> int:
        """Return how many instances of a service should run."""
        return self._specs[name].replicas

    def processes(self) -> list[RunningProcess]:
        """List the running processes, without those that wait for their restart."""
        children = [*self._servers.values(), *self._services.values()]
        return [running for child in children if (running := child.running)]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one process by its instance name. For tests; the stack restarts it."""
        (self._servers | self._services)[name].send(number)

    def abandon(self) -> None:
        """Kill everything; the end of the block then waits for nothing."""
        for child in [*self._services.values(), *self._servers.values()]:
            child.abandon()

    def summary(self) -> str:
        """Return one line for a person: how long each process took to be ready."""
        parts = [f"kafka {kafka_jars.VERSION} ready {self.timings['kafka']:.1f} s"]
        parts.append(f"valkey {self.timings['valkey']:.1f} s")
        if "services" in self.timings:
            parts.append(f"{len(self._services)} services {self.timings['services']:.1f} s")
        return " · ".join(parts)

    async def _start_server(self, server: Kafka | Valkey) -> None:
        started = time.monotonic()
        await server.prepare()
        # When the supervisor dies, the kernel sends a server SIGTERM: it has files to close.
        command = Command(
            server.name,
            server.argv,
            self._environment() | UTF_8,
            self._log(server.name),
            server.folder,
            orphan_signal=signal.SIGTERM,
        )
        child = self._servers[server.name] = self._child(command, replace(self._restart, retry_s=None))
        await child.start()
        if not await self._unless_failed(health.until(server.answers, READY_TIMEOUT_S)):
            raise _not_ready([child])
        self.timings[server.name] = time.monotonic() - started
        self._notify("ready", server.name, f"ready in {self.timings[server.name]:.1f} s")

    async def _start_instances(self, instances: Sequence[tuple[ProcessSpec, str]], timeout_s: float) -> None:
        started, children = time.monotonic(), []
        for process, name in instances:
            port = self._ports.take(name) if process.has_health else None
            env = self._environment(*process.inherits) | self._settings(process, port) | dict(process.env)
            command = Command(
                *(name, process.command_line, env, self._log(name), None, port, process.grace_s), module=process.main
            )
            child = self._services[name] = self._child(command, self._restart)
            children.append(child)
            await child.start()
        ports = {child.command.name: port for child in children if (port := child.command.health_port)}

        def ready(name: str) -> None:
            self.timings[name] = time.monotonic() - started
            self._notify("ready", name, f"ready in {self.timings[name]:.1f} s")

        for child in children:
            if child.command.health_port is None:
                self._notify("ready", child.command.name, "started")
        given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._starting |= dict.fromkeys(ports, given_up)
        try:
            unready = await self._unless_failed(health.unready(ports, timeout_s, ready), given_up)
        finally:
            self._starting = {name: one for name, one in self._starting.items() if one is not given_up}
            given_up.cancel()
        if unready:
            raise _not_ready([self._services[name] for name in unready])

    async def _stop_instance(self, name: str) -> None:
        """Stop it, then forget it; after a cancellation it is still listed, so that `_stop` stops it."""
        await self._services[name].stop()
        del self._services[name]

    def _environment(self, *patterns: str) -> dict[str, str]:
        return {**inherited_environment(*patterns), orphans.MARK: str(self.directory), "PYTHONUNBUFFERED": "1"}

    def _settings(self, process: ProcessSpec, health_port: int | None) -> dict[str, str]:
        """Return the variables of `shared.config.settings` that only the stack knows."""
        return {
            "CHIMERA_SERVICE": process.name,
            "CHIMERA_FACTORY": self._factory,
            "CHIMERA_KAFKA": self.bootstrap,
            "CHIMERA_VALKEY": self.valkey_url,
            **({"CHIMERA_HEALTH_PORT": str(health_port)} if health_port else {}),
        }

    def _log(self, name: str) -> Path:
        return workdir.rotate_log(self.directory, name)

    def _child(self, command: Command, restart: RestartPolicy) -> Process:
        return Process(
            command, restart, self._on_event, self._write_state, partial(self._fail, command.name), self._fork_server
        )

    def _fail(self, name: str, error: Refusal) -> None:
        """Fail the stack, or only the start of the process if it is started again later."""
        retried = name in self._services and self._restart.retry_s is not None
        future = self._starting.get(name) if retried else self.failed
        if future and not future.done():
            future.set_exception(error)

    async def _unless_failed(self, work: Coroutine[Any, Any, T], *others: asyncio.Future[None]) -> T:
        """Await `work`; raise Refusal when the stack fails, or one of the other futures does."""
        task, failures = asyncio.ensure_future(work), (self.failed, *others)
        futures: list[asyncio.Future[Any]] = [task, *failures]
        try:
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            for failure in failures:
                if failure.done():
                    failure.result()
            return await task
        finally:
            task.cancel()

    async def _limit_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            await asyncio.to_thread(workdir.limit_logs, self.directory)

    async def _stop(self) -> None:
        try:
            await asyncio.gather(*(child.stop() for child in self._services.values()))
            if self._fork_server:
                await self._fork_server.stop()
            for name in ("valkey", "kafka"):
                if name in self._servers:
                    await self._servers[name].stop()
        except asyncio.CancelledError:
            self.abandon()
            raise

    def _write_state(self) -> None:
        state = StateFile(supervisor=self._supervisor, ports=self._ports.taken, processes=self.processes())
        state.given_up = {name: child.given_up for name, child in self._services.items() if child.given_up}
        if self._servers:
            state.bootstrap, state.valkey_url = self.bootstrap, self.valkey_url
        state.write(self.directory)

    def _notify(self, kind: Kind, process: str, message: str) -> None:
        self._on_event(StackEvent(kind, process, message))


def _not_ready(children: Sequence[Process]) -> Refusal:
    names = ", ".join(child.command.name for child in children)
    return Refusal(f"not ready in time: {names}", f"Read {children[0].command.log}", children[0].last_lines())
