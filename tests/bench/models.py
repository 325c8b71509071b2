"""Measures Chimera's model client against plain clients, on endpoints that are full, broken or that queue.

The plain clients keep 64 calls in flight and retry after 0.5 s, 1 s, 2 s, …, as scripts do.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx

from schemas.config.models_config import Endpoint, ModelsConfig
from shared.llm import Models, Prompt

IN_FLIGHT = 64
LATENCY_S = 0.1
PROMPT = Prompt("ask", "You are terse.\n---\nProblem: $problem\n")
FIELDS = {"problem": "How many homotopy classes of self-maps of degree one does the lens space L(7,2) have? " * 3}
BODY = {"model": "m", "seed": 1, "messages": PROMPT.messages(FIELDS, 1)}

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """An endpoint, and the ideal seconds for its calls."""

    name: str
    options: tuple[str, ...]
    at_once: int

    def ideal_s(self, calls: int) -> float:
        return calls * LATENCY_S / self.at_once


SCENARIOS = (
    Scenario("takes 16, else 429", ("--at-once", "16", "--busy", "refuse"), 16),
    Scenario("10 % random 503", ("--broken", "0.1"), IN_FLIGHT),
    Scenario("runs 16, queues the rest", ("--at-once", "16", "--busy", "queue"), 16),
    Scenario("without fault", (), IN_FLIGHT),
)


async def measure(calls: int) -> list[dict[str, Any]]:
    """Return one row for each scenario and client. CPU is of this process; the servers are separate processes."""
    return [await _run(scenario, name, calls) for scenario in SCENARIOS for name in CLIENTS]


async def _run(scenario: Scenario, client: str, calls: int) -> dict[str, Any]:
    async with server() as well, CLIENTS[client](well) as ask:
        await ask()  # one-time costs of a process: imports, certificates
    async with server("--latency-s", str(LATENCY_S), *scenario.options) as url, CLIENTS[client](url) as ask:
        cpu, clock = time.process_time(), time.perf_counter()
        await _all(ask, calls)
        seconds, spent = time.perf_counter() - clock, time.process_time() - cpu
        async with httpx.AsyncClient(trust_env=False) as http:
            seen = (await http.get(f"{url}/seen")).json()
    return {
        "scenario": scenario.name,
        "client": client,
        "calls": calls,
        "seconds": seconds,
        "ideal_s": scenario.ideal_s(calls),
        "cpu_ms_per_call": 1000 * spent / calls,
        "refused": seen["refused"],
        "waiting_mean": seen["waited_s"] / seconds,
        "waiting_most": seen["longest"],
    }


async def _all(ask: Ask, calls: int) -> None:
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await ask()

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(worker())


@asynccontextmanager
async def server(*options: str) -> AsyncIterator[str]:
    """Start an endpoint as a separate process; yield its address."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.support.fake_endpoint", *options)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _chimera(url: str) -> AsyncIterator[Ask]:
    models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1", at_once=IN_FLIGHT), "m"), "bench")
    model = models.model("writer", PROMPT)
    try:
        yield lambda: model.complete(FIELDS, seed=1)
    finally:
        await models.aclose()


@asynccontextmanager
async def _httpx(url: str) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:

        async def once() -> bool:
            response = await http.post(f"{url}/v1/chat/completions", json=BODY)
            return response.is_success and bool(response.json()["choices"])

        yield lambda: _until(once)


@asynccontextmanager
async def _aiohttp(url: str) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as http:

        async def once() -> bool:
            async with http.post(f"{url}/v1/chat/completions", json=BODY) as response:
                return response.ok and bool((await response.json())["choices"])

        yield lambda: _until(once)


async def _until(once: Callable[[], Awaitable[bool]]) -> None:
    wait_s = 0.5
    while not await once():
        await asyncio.sleep(wait_s)
        wait_s *= 2


CLIENTS = {"chimera": _chimera, "plain httpx": _httpx, "plain aiohttp": _aiohttp}
