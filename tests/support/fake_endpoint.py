"""A model endpoint with a concurrency limit; beyond it calls get 429 or queue as in vLLM. It counts calls.

    async with FakeEndpoint(at_once=16).listen() as url:
    python -m tests.support.fake_endpoint --at-once 16 --busy queue      # as a separate process: prints its address

GET /metrics reports the queue under vLLM's metric names; GET /seen reports counters of calls.
"""

import argparse
import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ANSWER = {"role": "assistant", "content": "The answer is 42."}
CHUNK_S = 0.02
USAGE = {"prompt_tokens": 60, "completion_tokens": 12}


@dataclass(slots=True)
class FakeEndpoint:
    """Behaviour and counters of the endpoint. May be changed while it runs."""

    at_once: int = 1_000_000
    busy: str = "refuse"
    broken: float = 0.0
    """Fraction of calls that get 503, at random."""
    latency_s: float = 0.0
    answer_bytes: int = 0
    """Length of a streamed answer, written in a chunk each CHUNK_S during the latency; 0 for one line at its end."""
    fault: int | str | None = None
    """Response to every call: a status, `silence` or `cut` (a stream without an end)."""
    broken_models: frozenset[str] = frozenset()
    """Names of models that get 503."""
    retry_after_s: float | None = None
    seeds: list[int] = field(default_factory=list)
    """Seeds of all calls, in order of arrival."""
    arrivals: list[float] = field(default_factory=list)
    asked: int = 0
    """Number of requests for the load."""
    running: int = 0
    most: int = 0
    """Maximum number of concurrent calls."""
    waiting: int = 0
    longest: int = 0
    waited_s: float = 0.0
    refused: int = 0
    _here: int = 0
    _dice: random.Random = field(default_factory=lambda: random.Random(1))
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.at_once)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Respond after the latency, or as the fault says."""
        body = json.loads(await request.read())
        self.seeds.append(body.get("seed", 0))
        self.arrivals.append(asyncio.get_running_loop().time())
        self._here += 1
        self.most = max(self.most, self._here)
        try:
            broken = body["model"] in self.broken_models
            return _refused(503, {}) if broken else await self._answer(bool(body.get("stream")), request)
        finally:
            self._here -= 1

    async def _answer(self, stream: bool, request: web.Request) -> web.StreamResponse:
        if self.fault == "silence":
            await asyncio.sleep(60)
        if self.fault == "cut":
            return _streamed(1)
        full = self.busy == "refuse" and self._room.locked()
        status = self.fault or (429 if full else 503 if self._dice.random() < self.broken else None)
        if isinstance(status, int):
            self.refused += 1
            return _refused(status, {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)})
        if stream and self.answer_bytes:
            return await self._write(request)
        await self._work()
        return _streamed() if stream else _whole()

    async def _write(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        count, began = max(1, round(self.latency_s / CHUNK_S)), asyncio.get_running_loop().time()
        text = "0123456 " * (self.answer_bytes // (8 * count))
        chunk = {"model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        line = f"data: {json.dumps(chunk)}\n\n".encode()
        for number in range(count):
            await response.write(line)
            await asyncio.sleep(began + (number + 1) * CHUNK_S - asyncio.get_running_loop().time())
        await response.write((_streamed().text or "").encode())
        return response

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        self.waiting, began = self.waiting + 1, loop.time()
        if self._room.locked():
            self.longest = max(self.longest, self.waiting)
        try:
            await self._room.acquire()
        finally:
            self.waiting -= 1
            self.waited_s += loop.time() - began
        self.running += 1
        try:
            await asyncio.sleep(self.latency_s)
        finally:
            self.running -= 1
            self._room.release()

    async def models(self, _: web.Request) -> web.Response:
        """List one model; chat takes any."""
        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def metrics(self, _: web.Request) -> web.Response:
        """Report the load, if calls queue."""
        self.asked += 1
        if self.busy != "queue":
            return web.Response(status=404)
        pairs = {"num_requests_running": self.running, "num_requests_waiting": self.waiting, "request_success_total": 1}
        lines = [f'vllm:{name}{{engine="0",model_name="m"}} {value}' for name, value in pairs.items()]
        return web.Response(text="\n".join(lines) + "\n")

    async def seen(self, _: web.Request) -> web.Response:
        """Report the counters."""
        return web.json_response({"refused": self.refused, "waited_s": self.waited_s, "longest": self.longest})

    @asynccontextmanager
    async def listen(self, port: int = 0) -> AsyncIterator[str]:
        """Listen, and yield the address."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/seen", self.seen)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def _refused(status: int, headers: dict[str, str]) -> web.Response:
    return web.json_response({"error": {"message": "no"}}, status=status, headers=headers)


def _whole() -> web.Response:
    choices = [{"index": 0, "message": ANSWER, "finish_reason": "stop"}]
    return web.json_response({"model": "m", "choices": choices, "usage": USAGE})


def _streamed(parts: int = 4) -> web.Response:
    chunks: list[dict[str, Any]] = [
        {"model": "m", "choices": [{"index": 0, "delta": ANSWER, "finish_reason": None}]},
        {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"model": "m", "choices": [], "usage": USAGE},
    ]
    events = [*map(json.dumps, chunks), "[DONE]"][:parts]
    return web.Response(text="".join(f"data: {event}\n\n" for event in events), content_type="text/event-stream")


async def _serve(server: FakeEndpoint) -> None:
    async with server.listen() as url:
        print(url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-once", type=int, default=1_000_000)
    parser.add_argument("--busy", choices=["refuse", "queue"], default="refuse")
    parser.add_argument("--broken", type=float, default=0.0)
    parser.add_argument("--latency-s", type=float, default=0.1)
    parser.add_argument("--answer-bytes", type=int, default=0)
    asyncio.run(_serve(FakeEndpoint(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
