"""The local stack of one run: Kafka, Valkey, the simulator, the services. `run` and `up` use it.

    async with LocalFactory(config, on_event) as factory:
        await factory.start()
        await factory.failure()      # raises Refusal when a process has died too often

At the end of the block it stops the services first, while their models still run, then the rest; a cancellation kills.
"""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from deploy.local import control_socket
from deploy.local.events import OnEvent
from deploy.local.ports import Ports
from deploy.local.process import RestartPolicy
from deploy.local.process_spec import ProcessSpec
from deploy.local.supervisor import Stack
from schemas.config.models_config import ModelsConfig
from schemas.flow import SERVICE, SERVICES
from services.cli.common import models_config
from services.cli.common.names import FACTORY, SIMULATOR
from services.cli.common.race import first
from services.cli.common.run_config import RunConfig
from services.cli.stack.status_report import report
from shared.config.connections import KafkaAccess
from shared.errors import Refusal, Transient
from shared.kafka.admin.topics import provision
from shared.kafka.clients import KafkaError
from shared.llm import probe_endpoints
from shared.llm.plan_budget import check_budget

START_THREADS = frozenset({"aggregator", "auditor", "screening"})
"""Services that import numpy, Arrow or Delta, which start threads: no process may be forked after their import."""
PRELOAD = (
    *dict.fromkeys(f"services.{one.module}.__main__" for one in SERVICES if one.name not in START_THREADS),
    "shared.kafka.faust.loop",
    f"services.{SIMULATOR}.__main__",
)
"""What services import, for the process from which they are forked."""


class LocalFactory:
    """See the top of this file. While it runs, other commands scale it through the folder's control socket."""

    def __init__(
        self, config: RunConfig, on_event: OnEvent, retry_s: float | None = None, services: Collection[str] = SERVICE
    ) -> None:
        """With `retry_s`, a service that crashes again and again is started again after this time, others continue.

        Only `services` are started: without the planner no problem is requested.
        """
        self.config, self._names = config, services
        restart = RestartPolicy(retry_s=retry_s)
        self.stack = Stack(config.directory, factory=FACTORY, on_event=on_event, restart=restart, preload=PRELOAD)
        self.models: ModelsConfig
        self._port: int
        self._services: list[ProcessSpec] = []
        self._control = AsyncExitStack()
        self._scaling = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Lock the folder. Raises Refusal when a model does not work or the folder is locked."""
        await self._choose_models()
        await self.stack.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._control.aclose()
            if error is None:  # calls that finish now need not be repeated
                await asyncio.gather(*(self.stack.scale(service.name, 0) for service in self._services))
            elif isinstance(error, asyncio.CancelledError):
                self.stack.abandon()
        except asyncio.CancelledError:
            self.stack.abandon()
            raise
        finally:
            await self.stack.__aexit__(kind, error, trace)

    async def start(self) -> None:
        """Start everything; return when all services are ready."""
        config, stack = self.config, self.stack
        models_config.write(config.directory, config.plan, self.models)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._start_infrastructure())
                if config.models is None:
                    tasks.create_task(self._start_simulator())
        except* (Refusal, Transient) as errors:
            raise errors.exceptions[0] from None
        specs = models_config.services(config.directory, self.models)
        self._services = [spec for spec in specs if spec.name in self._names]
        await stack.start_services(self._services)
        await self._control.enter_async_context(control_socket.serve(stack.directory, self._handle))

    async def failure(self) -> None:
        """Wait until a process is given up, then raise Refusal."""
        await asyncio.shield(self.stack.failed)

    async def _choose_models(self) -> None:
        if self.config.models:
            self.models = self.config.models
            if faults := await probe_endpoints(self.models):
                reasons = list(dict.fromkeys(line.partition(": ")[2] for line in faults))
                message = reasons[0] if len(reasons) == 1 else "\n".join(faults)
                raise Refusal(message, "Correct that and run again; `chimera check models` shows more")
        else:
            self._port = Ports({}).take(SIMULATOR)
            self.models = models_config.simulated(self._port)
        check_budget(self.config.plan.budget, self.models)

    async def _start_infrastructure(self) -> None:
        await self.stack.start_infrastructure()
        try:
            await provision(KafkaAccess(self.stack.bootstrap), FACTORY)
        except KafkaError as error:
            raise Transient(f"Kafka does not answer: {error}") from error

    async def _start_simulator(self) -> None:
        spec = models_config.simulator(self._port, self.config.seed, self.config.plan)
        await self.stack.start_services([spec])
        await first(self._wait_for_simulator(), self.failure())

    async def _wait_for_simulator(self) -> None:
        while await probe_endpoints(self.models):  # noqa: ASYNC110 - another process: no event to wait for
            await asyncio.sleep(0.1)

    async def _handle(self, request: dict[str, Any]) -> Any:
        """Handle `chimera status`, `plan apply` and `scale`."""
        match request:
            case {"status": terminal}:
                return await report(self.config.directory, **terminal)
            case {"restart": names}:
                return await self._restart(names)
        return await self._scale(request)

    async def _restart(self, names: list[str]) -> list[str]:
        """Start services again, one after the other; return those that run."""
        async with self._scaling:
            running = [name for name in names if name in self._names and self.stack.replicas(name)]
            for name in running:
                replicas = self.stack.replicas(name)
                await self.stack.scale(name, 0)
                await self.stack.scale(name, replicas)
            return running

    async def _scale(self, counts: dict[str, int]) -> dict[str, Any]:
        """Handle `chimera scale`; return the number of processes of each service before and after."""
        async with self._scaling:
            done = {}
            for name, replicas in counts.items():
                before = self.stack.replicas(name)
                await self.stack.scale(name, replicas)
                done[name] = {"before": before, "after": replicas}
            return done
