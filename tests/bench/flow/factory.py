"""A factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import psutil

from deploy.local.ports import Ports
from deploy.local.process_spec import ProcessSpec
from deploy.local.supervisor import Stack
from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from services.cli.common import models_config
from services.cli.common.names import SIMULATOR
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.llm import probe_endpoints
from tests.support.kafka_world import KafkaWorld

FACTORY = "bench"


@asynccontextmanager
async def factory(
    folder: Path,
    plan: Plan,
    latency_ms: Mapping[str, float],
    only: Sequence[str] = (),
    simulator: Mapping[str, str] = MappingProxyType({}),
    models: ModelsConfig | None = None,
    max_concurrency: int | None = None,
) -> AsyncIterator[tuple[Stack, KafkaWorld]]:
    """Start the stack and wait until it is ready; `only` names the services to start, all if empty.

    `simulator` has further settings of the simulator, without their prefix; with `models` there is none.
    `max_concurrency` bounds the calls in flight of each service to the simulator.
    """
    async with Stack(folder, factory=FACTORY) as stack:
        await stack.start_infrastructure()
        await provision(KafkaAccess(stack.bootstrap), FACTORY)
        roles = models or await _start_simulator(stack, latency_ms, simulator, max_concurrency)
        models_config.write(folder, plan, roles)
        await stack.start_services(chosen(folder, roles, only))
        async with KafkaWorld(stack.bootstrap, stack.valkey_url, FACTORY, folder) as world:
            yield stack, world


async def _start_simulator(
    stack: Stack, latency_ms: Mapping[str, float], settings: Mapping[str, str], max_concurrency: int | None
) -> ModelsConfig:
    port = Ports({}).take(SIMULATOR)
    roles, spec = models_config.simulated(port), models_config.simulator(port, 0)
    if max_concurrency:
        bound = {"max_concurrency": max_concurrency}
        endpoints = {name: endpoint.model_copy(update=bound) for name, endpoint in roles.endpoints.items()}
        roles = roles.model_copy(update={"endpoints": endpoints})
    chosen_settings = {"LATENCY_MS": json.dumps(dict(latency_ms)), "BAD_FORM": "0", **settings}
    env = {**spec.env, **{f"CHIMERA_SIM_{name}": value for name, value in chosen_settings.items()}}
    await stack.start_services([replace(spec, env=env)])
    while await probe_endpoints(roles):  # noqa: ASYNC110 - another process: no event to wait for
        await asyncio.sleep(0.1)
    return roles


def chosen(folder: Path, models: ModelsConfig, only: Sequence[str]) -> list[ProcessSpec]:
    """Return the services to start."""
    return [process for process in models_config.services(folder, models) if not only or process.name in only]


def cpu_s(stack: Stack) -> dict[str, float]:
    """Return CPU seconds so far by process, including its children (Kafka is one)."""
    return {running.name: _cpu_s(running.id.pid) for running in stack.processes()}


def _cpu_s(pid: int) -> float:
    process = psutil.Process(pid)
    spent = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(times.user + times.system for times in spent)
