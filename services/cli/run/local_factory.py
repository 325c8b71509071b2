"""Everything that runs for an order: Kafka and Valkey, the models' simulator, the services. `run` and `up` both use it.

    async with Plant(order, on_event) as plant:
        await plant.start()
        await plant.failure()      # raises StackError when a process died too often

Leaving the block stops the services while their models are still there, then the rest; cancelled, it kills.
"""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from deploy.local import control_socket
from deploy.local.events import OnEvent
from deploy.local.ports import Ports
from deploy.local.process_spec import ProcessSpec
from deploy.local.supervisor import Stack
from schemas.config.models_config import ModelsConfig
from services.cli.common import models_config
from services.cli.common.race import first
from services.cli.common.run_config import RunConfig
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.admin.topics import provision
from shared.llm import probe_endpoints
from shared.llm.plan_budget import check

FACTORY = "chimera"


class LocalFactory:
    """See the top of this file. Other commands may scale it through the folder's control socket while it runs."""

    def __init__(self, order: RunConfig, on_event: OnEvent) -> None:
        self.order = order
        self.stack = Stack(order.directory, factory=FACTORY, on_event=on_event)
        self.cast: ModelsConfig
        self._port: int
        self._services: list[ProcessSpec] = []
        self._control = AsyncExitStack()
        self._scaling = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Claim the folder. Raises Refusal when the models will not do, StackError when the folder is taken."""
        await self._cast()
        await self.stack.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._control.aclose()
            if error is None:  # what they finish now need not be paid for again
                await asyncio.gather(*(self.stack.scale(service.name, 0) for service in self._services))
            elif isinstance(error, asyncio.CancelledError):
                self.stack.abandon()
        except asyncio.CancelledError:
            self.stack.abandon()
            raise
        finally:
            await self.stack.__aexit__(kind, error, trace)

    async def start(self) -> None:
        """Start everything; on return all services are ready."""
        order, stack = self.order, self.stack
        models_config.write(order.directory, order.plan, self.cast)
        await stack.start_infrastructure()
        await provision(KafkaAccess(stack.bootstrap), FACTORY)
        if order.cast is None:
            await stack.start_services([models_config.simulator(self._port, order.seed)])
            await first(self._answering(), self.failure())
        self._services = models_config.services(order.directory)
        await stack.start_services(self._services)
        await self._control.enter_async_context(control_socket.serve(stack.directory, self._scale))

    async def failure(self) -> None:
        """Wait for a process to be given up: raises StackError."""
        await asyncio.shield(self.stack.failed)

    async def _cast(self) -> None:
        if self.order.cast:
            self.cast = self.order.cast
            if wrong := await probe_endpoints(self.cast):
                reasons = list(dict.fromkeys(line.partition(": ")[2] for line in wrong))
                said = reasons[0] if len(reasons) == 1 else "\n".join(wrong)
                raise Refusal(
                    said, "Correct how the models are named, and run again; `chimera check models` tells more"
                )
        else:
            self._port = Ports({}).take(models_config.SIMULATOR)
            self.cast = models_config.simulated(self._port)
        check(self.order.plan.budget, self.cast)

    async def _answering(self) -> None:
        while await probe_endpoints(self.cast):  # noqa: ASYNC110 - another process: no event to wait for
            await asyncio.sleep(0.1)

    async def _scale(self, wanted: dict[str, int]) -> dict[str, Any]:
        """Answer `chimera scale`: how many processes of each service there were and are."""
        async with self._scaling:
            done = {}
            for name, replicas in wanted.items():
                before = self.stack.replicas(name)
                await self.stack.scale(name, replicas)
                done[name] = {"before": before, "after": replicas}
            return done
