"""The OpenAI-compatible server: its routes, its start and its stop.

POST /v1/chat/completions, /v1/embeddings   GET /v1/models   as in OpenAI's API; errors in `errors.py`
GET, PUT /sim/faults        faults of the models' servers, `{model or "*": faults}`, in `faults.py`
GET /metrics                vLLM's metrics per model, in Prometheus's text format
GET /livez, /readyz         200 while the process serves
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import TypeAdapter, ValidationError

from services.simulator.api.chat import Chat
from services.simulator.api.embeddings import MODEL, EmbeddingRequest, embed
from services.simulator.api.errors import Refused, fault_error, hang_up, refusals
from services.simulator.api.request import ChatRequest
from services.simulator.bank import Bank, index, near
from services.simulator.calls import CallLog
from services.simulator.engine import Engine
from services.simulator.faults import Faults
from services.simulator.metrics import registry
from services.simulator.settings import ABILITIES, FaultsByModel, Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
_FAULTS = TypeAdapter(FaultsByModel)
_REQUEST = TypeAdapter(ChatRequest)
_EMBEDDING = TypeAdapter(EmbeddingRequest)
DRAIN_S = 5.0
"""Longest time for calls under way when the server stops; some hang on purpose."""


class Simulator:
    """The handlers."""

    def __init__(self, settings: Settings, bank: Bank, calls: CallLog) -> None:
        self._key = settings.api_key
        self._faults: FaultsByModel = settings.faults
        self._engines = {model: Engine(model, settings.seed, _faults_of(model, self._faults)) for model in ABILITIES}
        self._metrics: CollectorRegistry = registry(self._engines.values())
        self._chat = Chat(settings, bank, self._engines, calls)

    async def alive(self, _: web.Request) -> web.Response:
        """Answer 200. The server listens only after the bank is built, so alive is ready."""
        return web.json_response({"status": "ok", "simulated": True})

    async def models(self, request: web.Request) -> web.Response:
        """List the models."""
        self._check_key(request)
        common = {"object": "model", "created": 0, "owned_by": "chimera-simulator"}
        data = [{"id": model, **common} for model in (*ABILITIES, MODEL)]
        return self._outage(request) or web.json_response({"object": "list", "data": data})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion."""
        self._check_key(request)
        return await self._chat.answer(request, _parse(_REQUEST, await request.read()))

    async def embeddings(self, request: web.Request) -> web.Response:
        """Answer with vectors."""
        self._check_key(request)
        body = _parse(_EMBEDDING, await request.read())
        return self._outage(request) or web.json_response(embed(body))

    async def metrics(self, request: web.Request) -> web.Response:
        """Answer with the metrics; no key is required, as in vLLM."""
        text = generate_latest(self._metrics)
        return self._outage(request) or web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def faults(self, _: web.Request) -> web.Response:
        """Answer with the current faults."""
        return web.Response(body=_FAULTS.dump_json(self._faults), content_type="application/json")

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace all faults; calls under way keep their faults."""
        self._faults = _parse(_FAULTS, await request.read())
        for model, engine in self._engines.items():
            engine.set_faults(_faults_of(model, self._faults))
        return await self.faults(request)

    def _check_key(self, request: web.Request) -> None:
        key = self._key
        if key is not None and request.headers.get("Authorization") != f"Bearer {key.get_secret_value()}":
            raise Refused(401, "Incorrect API key provided.", "invalid_api_key")

    def _outage(self, request: web.Request) -> web.Response | None:
        """Fail if all models have an outage; return `None` otherwise."""
        faults = _faults_of("*", self._faults)
        if faults.outage == "503":
            raise fault_error(503, faults)
        return hang_up(request) if faults.outage else None


def _faults_of(model: str, faults: Mapping[str, Faults]) -> Faults:
    return faults.get(model) or faults.get("*") or Faults()


def _parse(form: TypeAdapter[T], body: bytes) -> T:
    try:
        return form.validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(map(str, first["loc"])) or None
        raise Refused(400, f"{param or 'body'}: {first['msg']}", "invalid_request", param) from error


def _bank(settings: Settings) -> Bank:
    """Create the bank; a large one is built now, so that no call waits for it."""
    bank = Bank(settings.seed, large=settings.large_bank)
    if settings.large_bank:
        bank.build()
    return bank


def application(settings: Settings, calls: CallLog) -> web.Application:
    """Wire the routes."""
    simulator = Simulator(settings, _bank(settings), calls)
    app = web.Application(middlewares=[refusals], client_max_size=32 * 1024**2)
    app.router.add_get("/livez", simulator.alive)
    app.router.add_get("/readyz", simulator.alive)
    app.router.add_get("/metrics", simulator.metrics)
    app.router.add_get("/sim/faults", simulator.faults)
    app.router.add_put("/sim/faults", simulator.set_faults)
    app.router.add_get("/v1/models", simulator.models)
    app.router.add_post("/v1/chat/completions", simulator.chat)
    app.router.add_post("/v1/embeddings", simulator.embeddings)
    return app


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[str]:
    """Build the bank, listen, and yield the base URL (`http://127.0.0.1:8100/v1`); stop at the end of the block."""
    count = len(index(settings.seed))
    near(settings.seed)  # build it now, not in the first call that needs it
    calls = CallLog(settings.call_log, settings.request_log)
    runner = web.AppRunner(
        application(settings, calls), access_log=None, handler_cancellation=True, shutdown_timeout=DRAIN_S
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        log.warning("SIMULATED models on http://%s:%d/v1, seed %d, %d problems", host, port, settings.seed, count)
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()
        calls.close()
