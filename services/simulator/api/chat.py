"""POST /v1/chat/completions: answers a request, with the faults applied."""

import asyncio
from collections.abc import Mapping
from itertools import count

from aiohttp import web

from services.simulator.api.completion import Completion
from services.simulator.api.delivery import deliver, fail
from services.simulator.api.errors import Refused, fault_error, hang_up
from services.simulator.api.request import ChatRequest
from services.simulator.bank import Bank
from services.simulator.calls import Call, CallLog
from services.simulator.corrupt import corrupt, wrap_json
from services.simulator.engine import Engine
from services.simulator.faults import REJECTIONS, UNWORKED, Faults
from services.simulator.latency import Latency
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import TaskInput, UnsupportedRequest
from services.simulator.settings import Settings


class Chat:
    """Answers parsed chat requests."""

    def __init__(self, settings: Settings, bank: Bank, engines: Mapping[str, Engine], log: CallLog) -> None:
        self._settings = settings
        self._bank = bank
        self._engines = engines
        self._log = log
        self._numbers = count(1)

    async def answer(self, request: web.Request, body: ChatRequest) -> web.StreamResponse:
        """Answer, whole or streamed; raises Refused. Cancelled when the client disconnects, as in vLLM."""
        engine = self._engines.get(body.model)
        if engine is None:
            raise Refused(404, f"The model `{body.model}` does not exist.", "model_not_found", "model")
        faults = engine.faults
        sent_id = request.headers.get("Idempotency-Key") or request.headers.get("X-Request-Id")
        fault = faults.outage or engine.next_fault()
        call = Call(next(self._numbers), body.model, body.digest, sent_id, fault)
        try:
            if fault in REJECTIONS:
                return self._reject(request, call, faults)
            if body.response_format.type == "json_schema" and faults.structured == "refuse":
                text = "This server does not support response_format of type json_schema."
                raise Refused(400, text, "unsupported_value", "response_format")
            await engine.enter()
            try:
                return await self._work(request, body, call, engine)
            finally:
                engine.leave()
        except Refused as refused:
            call.status = refused.status
            self._log.note("refused", call)
            raise
        except asyncio.CancelledError:
            if call.at == "waiting":
                self._log.note("left", call)
            raise

    def _reject(self, request: web.Request, call: Call, faults: Faults) -> web.StreamResponse:
        if call.fault != "reset":
            raise fault_error(int(call.fault or 503), faults)
        self._log.note("refused", call)
        return hang_up(request)

    async def _work(self, request: web.Request, body: ChatRequest, call: Call, engine: Engine) -> web.StreamResponse:
        """Process a call that has a slot. Raises Refused for a request that the simulator does not support."""
        faults = engine.faults
        try:
            reply = wrap_json(reply_to(TaskInput(body, self._bank, self._settings)), body, faults)
        except UnsupportedRequest as error:
            raise Refused(400, str(error), "unplayable", "messages") from error
        answer = corrupt(Completion.of(body, reply, self._bank.seed), call.fault, faults)
        call.begin(answer.prompt_tokens, paid=call.fault not in UNWORKED)
        engine.prompt_tokens += answer.prompt_tokens
        self._log.note("begun", call)
        try:
            if not call.paid:
                return await fail(request, body, call, faults)
            self._log.answered(body, reply, answer.finish_reason, call)
            latency = Latency.of(body, answer, call.fault, faults, self._settings)
            return await deliver(request, body, answer, latency, call, faults)
        finally:
            engine.generation_tokens += call.completion_tokens
            self._log.note("ended", call)
