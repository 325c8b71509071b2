"""A chat model with a prompt, in one role: a `shared.ports.Model` at an endpoint.

structured ─► with_longer_limit ─► from_journal ─► channel.call (slot, budget, metrics) ─► request ─► stream

All answers are streamed, structured ones too: one code path, and no proxy sees a silent connection for minutes.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, TypeAdapter

from schemas.config.models_config import RoleModel
from schemas.item import Provenance
from shared.call_journal import from_journal
from shared.clock import utc_now
from shared.errors import Invalid, OverBudget, Transient
from shared.llm.budget_guard import Charge
from shared.llm.channel import EndpointChannel
from shared.llm.errors import Declined, TimedOut
from shared.llm.limiter.limiter import Permit
from shared.llm.prompts import Prompt
from shared.llm.replies.json_reader import read
from shared.llm.replies.stream_accumulator import StreamAccumulator
from shared.llm.replies.structured_output import in_prompt, refuses_only_schemas, repair, response_format
from shared.llm.replies.wire import Usage
from shared.ports import Malformed, Reply, T

log = logging.getLogger(__name__)

DECLINED = "declined"
"""Finish reason of a call that the endpoint declined."""
MAX_ATTEMPTS = 3
"""Calls for one structured answer: the first, and those that show the model what was wrong."""
REPLY = TypeAdapter(Reply)

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A `shared.ports.Model`. `caller` is the service, for the lineage."""

    channel: EndpointChannel
    role_model: RoleModel
    prompt: Prompt
    caller: str

    @property
    def name(self) -> str:
        return self.role_model.model

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        return await self._with_longer_limit(self.prompt.messages(fields, seed), seed, attempt=0)

    async def structured(
        self, fields: Mapping[str, str], response_model: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        messages = self.prompt.messages(fields, seed)
        calls: tuple[Provenance, ...] = ()
        reply, problem = Reply("", "", ()), ""
        for attempt in range(MAX_ATTEMPTS):
            correction = repair(reply.text, problem) if reply.text else []
            next_seed = (seed + attempt * 1_000_003) % 2**31
            reply = await self._structured_call(messages + correction, next_seed, attempt, response_model)
            calls += reply.calls
            problem = f"no finished answer ({reply.fault})"
            if reply.provenance.finish_reason == DECLINED and not correction:
                raise Malformed(f"{self.name}: {problem}", calls, reply.fault or "malformed")
            if reply.finished:
                try:
                    found, repaired = read(response_model, reply.text)
                    return found, _marked(calls, repaired)
                except ValueError as error:
                    problem = str(error)
        name = response_model.__name__.lower()
        message = f"{self.name} did not give a valid {name} in {MAX_ATTEMPTS} attempts: {problem}"
        raise Malformed(message, calls, reply.fault or "malformed")

    async def _structured_call(
        self, messages: Messages, seed: int, attempt: int, response_model: type[BaseModel]
    ) -> Reply:
        """Request a schema in the best way that the endpoint supports."""
        refusal, removed = "", set(self.channel.profile(self.role_model.model).removed)
        for mode in self.channel.modes:
            if mode == "json_object" and refusal and not refuses_only_schemas(refusal):
                continue
            prompt = messages if mode == "schema" else in_prompt(response_model, messages)
            try:
                reply = await self._with_longer_limit(prompt, seed, attempt, response_format(mode, response_model))
            except (Invalid, Transient) as error:
                may_be_the_format = isinstance(error, Invalid) or self.channel.suspects_formats(error)
                if mode == "prompt" or isinstance(error, OverBudget) or not may_be_the_format:
                    raise
                refusal = str(error)
            else:
                if removed == self.channel.profile(self.role_model.model).removed:
                    self.channel.record_mode(mode, refusal)  # otherwise a parameter was the cause
                return reply
        raise AssertionError("the mode `prompt` either answers or raises")

    async def _with_longer_limit(
        self, messages: Messages, seed: int, attempt: int, structured: dict[str, Any] | None = None
    ) -> Reply:
        """Call. While the answer is truncated, repeat with twice the tokens, up to the ceiling."""
        limit, ceiling, calls = self._limit[1], self.role_model.ceiling or 0, tuple[Provenance, ...]()
        truncated: Reply | None = None
        while True:
            body = self._body(messages, seed, limit, structured)
            try:
                reply = await from_journal(body, REPLY, partial(self._call, body, attempt))
            except Invalid as error:
                if truncated is None or isinstance(error, OverBudget):
                    raise
                log.warning("no answer with %s tokens, so the truncated one counts: %s", limit, error)
                return replace(truncated, calls=calls)
            if reply.fault == "too_long" and reply.provenance.finish_reason == DECLINED and truncated:
                return replace(truncated, calls=(*reply.calls, *calls))  # the longer limit exceeds the context
            calls += reply.calls
            if reply.fault != "too_long" or not limit or limit >= ceiling:
                return replace(reply, calls=calls)
            limit, truncated = min(2 * limit, ceiling), reply

    async def _call(self, body: dict[str, Any], attempt: int) -> Reply:
        """Call with the parameters that the endpoint accepts."""
        profile = self.channel.profile(self.role_model.model)

        async def request(sent: dict[str, Any], permit: Permit, charge: Charge) -> tuple[Reply, Provenance]:
            reply = await self._request(sent, attempt, permit, charge)
            return reply, reply.provenance

        async def send(sent: dict[str, Any]) -> Reply:
            task = partial(request, sent)
            return await self.channel.call(self.role_model, self.caller, self.prompt.name, body, task)

        try:
            return await profile.call(body, send)
        except Declined as declined:
            log.warning("%s: %s", declined.fault, declined)
            answer = StreamAccumulator(finish_reason=DECLINED, usage=Usage(0, 0))
            provenance = self._provenance(answer, body, attempt, utc_now(), time.perf_counter())
            return Reply("", "", (provenance,), declined.fault)

    async def _request(self, body: dict[str, Any], attempt: int, permit: Permit, charge: Charge) -> Reply:
        """Send one request and read its answer. Raises Transient for an answer that is not complete."""
        answer, started, clock = StreamAccumulator(), utc_now(), time.perf_counter()
        try:
            await self._stream(body, answer, permit)
        except TimeoutError:
            seconds = time.perf_counter() - clock
            raise TimedOut(f"endpoint {self.role_model.endpoint}: Timeout: given up after {seconds:.0f} s") from None
        finally:
            charge.partial(answer.size)
        if answer.is_broken:
            reason = "without a finish reason" if answer.finish_reason is None else f"as {answer.finish_reason[:100]!r}"
            sent = f", after {self.channel.endpoint.quoted(answer.unread)}" if answer.unread else ""
            raise Transient(f"endpoint {self.role_model.endpoint} ended the answer {reason}{sent}")
        text, reasoning = answer.parts()
        provenance = self._provenance(answer, body, attempt, started, clock)
        return Reply(text, reasoning, (provenance,), answer.fault(text))

    async def _stream(self, body: dict[str, Any], answer: StreamAccumulator, permit: Permit) -> None:
        """Collect the answer chunk by chunk. Raises TimeoutError."""
        config, clock = self.channel.endpoint.config, asyncio.get_running_loop().time
        async with (
            asyncio.timeout(config.call_s),
            asyncio.timeout(config.first_token_s) as silence,
            aclosing(self.channel.endpoint.chat(body)) as chunks,
        ):
            async for chunk in chunks:
                answer.add(chunk)
                permit.first_token()
                silence.reschedule(clock() + config.idle_s)
                if answer.is_runaway:
                    return

    @property
    def _limit(self) -> tuple[str, int | None]:
        """Name and value of the token limit, which `extra` may replace."""
        name = next((name for name in ("max_completion_tokens", "max_tokens") if self.role_model.extra.get(name)), None)
        return (name, self.role_model.extra[name]) if name else ("max_tokens", self.role_model.max_tokens)

    def _body(
        self, messages: Messages, seed: int, limit: int | None, structured: dict[str, Any] | None
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.role_model.model,
            "messages": messages,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": self.role_model.temperature,
            "top_p": self.role_model.top_p,
            "response_format": structured,
            **self.role_model.extra,
            self._limit[0]: limit,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _provenance(
        self, answer: StreamAccumulator, body: dict[str, Any], attempt: int, started: datetime, clock: float
    ) -> Provenance:
        usage = answer.usage
        return Provenance(
            role=self.caller,
            endpoint=self.role_model.endpoint,
            model=self.role_model.model,
            revision=answer.revision,
            weights=self.channel.weights(self.role_model.model),
            served=answer.model if answer.model != self.role_model.model else None,
            simulated=self.channel.endpoint.config.simulated,
            prompt=self.prompt.name,
            prompt_hash=self.prompt.hash,
            prompt_origin=self.prompt.origin,
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            max_tokens=body.get("max_tokens", body.get("max_completion_tokens")),
            extra=self.role_model.extra or None,
            seed=body.get("seed"),
            attempt=attempt,
            finish_reason=answer.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
            cost=self.role_model.cost(usage.prompt_tokens, usage.completion_tokens),
        )


def _marked(calls: tuple[Provenance, ...], repaired: bool) -> tuple[Provenance, ...]:
    """The calls; the last one is marked when its JSON had to be repaired."""
    return (*calls[:-1], calls[-1].with_(repaired=True)) if repaired else calls
