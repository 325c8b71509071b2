"""The OpenAI-compatible server.

Errors have OpenAI's body, `{"error": {"message", "type", "param", "code"}}`:

    400 invalid_request_error   not JSON, not a chat request, or nothing the simulator can play
    401 invalid_api_key         the settings name a key and the request has another or none
    404 model_not_found         no such model
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from services.simulator.bank import Bank, index
from services.simulator.calls import CallLog
from services.simulator.completion import Completion
from services.simulator.plays.cast import play
from services.simulator.plays.reply import Stage, Unplayable
from services.simulator.request import ChatRequest
from services.simulator.settings import ABILITIES, Settings

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Refused(Exception):
    """A request that gets an error body instead of an answer."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None

    def response(self) -> web.Response:
        """Return the error as OpenAI words it."""
        error = {"message": self.message, "type": "invalid_request_error", "param": self.param, "code": self.code}
        return web.json_response({"error": error}, status=self.status)


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a refusal into its error body."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response()


@dataclass(frozen=True, slots=True)
class Simulator:
    """The handlers."""

    settings: Settings
    bank: Bank
    calls: CallLog

    async def alive(self, _: web.Request) -> web.Response:
        """Answer 200: the server listens only once the bank is built, so alive is ready."""
        return web.json_response({"status": "ok", "simulated": True})

    async def models(self, request: web.Request) -> web.Response:
        """List the models."""
        self._admit(request)
        data = [{"id": model, "object": "model", "created": 0, "owned_by": "chimera-simulator"} for model in ABILITIES]
        return web.json_response({"object": "list", "data": data})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion, whole or streamed."""
        self._admit(request)
        asked = _parsed(await request.read())
        if asked.model not in ABILITIES:
            raise Refused(404, f"The model `{asked.model}` does not exist.", "model_not_found", "model")
        try:
            reply = play(Stage(asked, self.bank, self.settings))
        except Unplayable as error:
            raise Refused(400, str(error), "unplayable", "messages") from error
        completion = Completion.of(asked, reply, self.bank.seed)
        pause = self.settings.latency_ms.get(asked.model, 0) / 1000
        self.calls.add(asked, reply, completion)
        if asked.stream:
            usage = asked.stream_options is not None and asked.stream_options.include_usage
            return await _stream(request, [json.dumps(chunk) for chunk in completion.chunks(usage)], pause)
        await asyncio.sleep(pause)
        return web.json_response(completion.whole())

    def _admit(self, request: web.Request) -> None:
        key = self.settings.api_key
        if key is not None and request.headers.get("Authorization") != f"Bearer {key.get_secret_value()}":
            raise Refused(401, "Incorrect API key provided.", "invalid_api_key")


def _parsed(body: bytes) -> ChatRequest:
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(map(str, first["loc"])) or None
        raise Refused(400, f"{param or 'body'}: {first['msg']}", "invalid_request", param) from error


async def _stream(request: web.Request, chunks: list[str], pause: float) -> web.StreamResponse:
    """Send server-sent events, the pause spread evenly between them."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for chunk in chunks:
        await asyncio.sleep(pause / len(chunks))
        await response.write(b"data: " + chunk.encode() + b"\n\n")
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def application(settings: Settings, calls: CallLog) -> web.Application:
    """Wire the routes."""
    simulator = Simulator(settings, Bank(settings.seed), calls)
    app = web.Application(middlewares=[refusals], client_max_size=32 * 1024**2)
    app.router.add_get("/livez", simulator.alive)
    app.router.add_get("/readyz", simulator.alive)
    app.router.add_get("/v1/models", simulator.models)
    app.router.add_post("/v1/chat/completions", simulator.chat)
    return app


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[str]:
    """Build the bank, listen, and yield the base URL (`http://127.0.0.1:8100/v1`); stop at the end of the block."""
    known = len(index(settings.seed))
    calls = CallLog(settings.call_log)
    runner = web.AppRunner(application(settings, calls), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        log.warning("SIMULATED models on http://%s:%d/v1, seed %d, %d problems", host, port, settings.seed, known)
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()
        calls.close()
