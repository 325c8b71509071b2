"""Every service of a factory as processes on a broker that is there already; the simulator plays the models."""

import asyncio
import json
import signal
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Self

import httpx

from deploy.local import health
from deploy.local.ports import Ports
from deploy.local.process_spec import ProcessSpec
from deploy.local.state_file import RunningProcess
from deploy.local.supervisor import Stack
from schemas.config.plan import Plan
from services.cli.common import models_config
from services.cli.common.dataset_location import dataset_in
from services.cli.common.names import SIMULATOR
from services.cli.run.completion import evaluate
from services.cli.run.quiescence import is_drained
from shared.dataset.reports.funnel import FOLLOWED, Funnel
from shared.kafka.read.tail import tail
from shared.llm import probe_endpoints
from tests.e2e.factory import RATES, Remains, read
from tests.support.kafka_world import KafkaWorld, until

QUIET_S = 60.0
"""So long nothing may be heard of work under way."""


class Line:
    """The factory of a World. Its processes are named after it, so that several fit on one stack."""

    def __init__(
        self,
        stack: Stack,
        world: KafkaWorld,
        plan: Plan,
        seed: int,
        simulated: Mapping[str, Mapping[str, Any]] | None = None,
        without: Collection[str] = (),
        **settings: object,
    ) -> None:
        """Take a plan and a seed.

        `simulated`: the simulator's settings by model, where they are not to be those of a demo; `without`: services
        that are left out; `settings` are those of every service.
        """
        self.world = world
        self.calls = world.folder / "calls.jsonl"
        self._stack = stack
        self._plan = plan
        self.directory = world.folder / "line"
        port = Ports({}).take(SIMULATOR)
        self.simulator_url = f"http://127.0.0.1:{port}"
        self._cast = models_config.simulated(port)
        played: dict[str, Any] = {**RATES, "CHIMERA_SIM_CALL_LOG": self.calls}
        played |= {f"CHIMERA_SIM_{name.upper()}": json.dumps(value) for name, value in (simulated or {}).items()}
        self._simulator = self._process(models_config.simulator(port, seed), played)
        changes = {f"CHIMERA_{name.upper()}": value for name, value in settings.items()}
        wanted = [
            process for process in models_config.services(self.directory, self._cast) if process.name not in without
        ]
        self._working = {process.name for process in wanted}
        self._services = [self._process(process, changes) for process in wanted]

    def _process(self, process: ProcessSpec, changes: dict[str, Any]) -> ProcessSpec:
        factory = self.world.factory
        env = {**process.env, "CHIMERA_FACTORY": factory, "CHIMERA_SERVICE": process.name, **changes}
        return replace(
            process,
            name=f"{factory}-{process.name}",
            module=process.module or f"services.{process.name}",
            env={name: str(value) for name, value in env.items()},
        )

    async def __aenter__(self) -> Self:
        models_config.write(self.directory, self._plan, self._cast)
        await self._stack.start_services([self._simulator])
        await until(self._models_answer, "the simulator")
        await self._stack.start_services(self._services)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.rest()
        await self._stack.scale(self._simulator.name, 0)

    async def _models_answer(self) -> bool:
        return not await probe_endpoints(self._cast)

    async def rest(self) -> None:
        """Stop every service."""
        await asyncio.gather(*(self._stack.scale(service.name, 0) for service in self._services))

    async def scale(self, service: str, replicas: int) -> None:
        await self._stack.scale(f"{self.world.factory}-{service}", replicas)

    async def inject(self, faults: Mapping[str, Any]) -> None:
        """Replace the faults of the models, by model."""
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.put(f"{self.simulator_url}/sim/faults", json=faults)).raise_for_status()

    async def a_circuit_is_open(self) -> bool:
        """Whether some process has given its endpoint up for now."""
        ports = [one.health_port for one in self._running().values() if one.health_port]
        async with httpx.AsyncClient(trust_env=False) as http:
            reported = await asyncio.gather(*(http.get(f"http://127.0.0.1:{port}/metrics") for port in ports))
        return any(
            line.startswith("chimera_model_circuit_open") and line.endswith(" 1.0")
            for metrics in reported
            for line in metrics.text.splitlines()
        )

    def signal(self, service: str, number: signal.Signals) -> None:
        """Send a signal to the first replica."""
        self._stack.kill(f"{self.world.factory}-{service}", number)

    def restarted(self) -> dict[str, int]:
        """Services whose first replica was started again, and how often."""
        return {name: one.restarts for name, one in self._running().items() if one.restarts}

    async def at_work(self, services: Collection[str], restarts: int) -> bool:
        """Whether these have restarted that often, run, and have taken over."""
        running = [self._running().get(name) for name in services]
        ports = {one.name: one.health_port for one in running if one and one.health_port and one.restarts == restarts}
        return len(ports) == len(services) and not await health.unready(ports, 0.5)

    def _running(self) -> dict[str, RunningProcess]:
        """What runs of this factory at this moment, by service."""
        prefix = f"{self.world.factory}-"
        found = (one for one in self._stack.processes() if one.name.startswith(prefix))
        return {one.name.removeprefix(prefix): one for one in found}

    async def lacking(self) -> int:
        """Rows that are not there yet."""
        curated = {event.sample_id for event in await self.world.events("sample.curated") if event.admission == "in"}
        return self._plan.rows - len(curated)

    async def grown(self, share: float = 1.0) -> None:
        """Wait until this share of the rows is there; with all of them, until nothing is under way any more."""
        funnel, clock = Funnel(), asyncio.get_running_loop().time
        heard = clock()
        names = [event.type for event in FOLLOWED]
        async with aclosing(tail(self.world.access, self.world.factory, names)) as events:
            async for event in events:
                assert not self._stack.failed.done(), self._stack.failed.exception()
                if event:
                    funnel.add(event)
                    heard = clock()
                if share < 1 and sum(funnel.lacking(self._plan).values()) <= (1 - share) * self._plan.rows:
                    return
                if event is None and (end := evaluate(funnel, self._plan, clock() - heard, QUIET_S)):
                    assert not end.short, end.short
                    assert clock() - heard < QUIET_S, "the rows are there, but something is left to do"
                    if await is_drained(self.world.access, self.world.factory, self._working):
                        return

    async def remains(self) -> Remains:
        """What lies on the log and in the dataset."""
        return await read(self.world, dataset_in(self.directory), self.calls)
