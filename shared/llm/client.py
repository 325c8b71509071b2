"""A model with a prompt, in one role: `shared.ports.Model` over an endpoint.

journal ─► gate (a place among the calls in flight) ─► purse (tokens, money) ─► endpoint ─► settle ─► journal

Everything is streamed, structured answers too: one path, and no proxy sees minutes of silence.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from schemas.config.models_config import RoleModel
from schemas.identity import content_hash
from schemas.item import Provenance
from shared.call_journal import journal
from shared.clock import utc_now
from shared.errors import Transient
from shared.llm.call_metrics import call_metrics
from shared.llm.channel import EndpointChannel
from shared.llm.errors import Busy, TimedOut, UnsupportedSchema
from shared.llm.limiter.permit import Permit
from shared.llm.prompts import Prompt
from shared.llm.stream_accumulator import BROKEN, StreamAccumulator
from shared.llm.structured_output import in_prompt, parse, repair, response_format
from shared.ports import Malformed, Reply, T
from shared.telemetry import traces

TRIES = 3
"""Calls for one structured answer: the first, and those that show the model what was wrong."""
REPLY = TypeAdapter(Reply)

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A `shared.ports.Model`. `asked_by` is the service, for lineage."""

    channel: EndpointChannel
    role_model: RoleModel
    prompt: Prompt
    role: str

    @property
    def name(self) -> str:
        return self.role_model.model

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        return await self._with_longer_limit(self.prompt.messages(fields, seed), seed, attempt=0)

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        messages = self.prompt.messages(fields, seed)
        calls: tuple[Provenance, ...] = ()
        wrong, problem = Reply("", "", ()), ""
        for attempt in range(TRIES):
            again = repair(wrong.text, problem) if wrong.text else []
            wrong = await self._structured_call(messages + again, (seed + attempt * 1_000_003) % 2**31, attempt, form)
            calls += wrong.calls
            problem = f"no finished answer ({wrong.fault})"
            if wrong.finished:
                try:
                    return parse(form, wrong.text), calls
                except ValueError as error:
                    problem = str(error)
        said = f"{self.name} did not give a {form.__name__.lower()} in {TRIES} tries: {problem}"
        raise Malformed(said, calls, wrong.fault or "malformed")

    async def _structured_call(self, messages: Messages, seed: int, attempt: int, form: type[BaseModel]) -> Reply:
        """Ask for a form as the endpoint understands it."""
        if self.channel.supports_schemas:
            try:
                return await self._with_longer_limit(messages, seed, attempt, form)
            except UnsupportedSchema as error:
                self.channel.disable_schemas(str(error))
        return await self._with_longer_limit(in_prompt(form, messages), seed, attempt)

    async def _with_longer_limit(
        self, messages: Messages, seed: int, attempt: int, form: type[BaseModel] | None = None
    ) -> Reply:
        """Ask; while the answer is cut off, with twice the tokens, up to the ceiling."""
        limit, calls = self.role_model.max_tokens, tuple[Provenance, ...]()
        while True:
            reply = await self._from_journal(self._body(messages, seed, limit, form), attempt)
            calls += reply.calls
            if reply.fault != "too_long" or not limit or limit >= (self.role_model.ceiling or 0):
                return replace(reply, calls=calls)
            limit = min(2 * limit, self.role_model.ceiling or 0)

    async def _from_journal(self, body: dict[str, Any], attempt: int) -> Reply:
        """What the journal holds, or else a call."""
        if (kept := journal()) is None:
            return await self._with_permit(body, attempt)
        name = content_hash(json.dumps(body, sort_keys=True))
        if (result := await kept.get(name)) is not None:
            return REPLY.validate_json(result)
        reply = await self._with_permit(body, attempt)
        kept.put(name, REPLY.dump_json(reply))
        return reply

    async def _with_permit(self, body: dict[str, Any], attempt: int) -> Reply:
        """Call until the endpoint takes it. Only Busy is asked again here: nothing was done, nothing is paid."""
        async with self.channel.permit() as turn:
            while True:
                try:
                    return await self._within_budget(body, attempt, turn)
                except Busy as busy:
                    await turn.refused(busy)

    async def _within_budget(self, body: dict[str, Any], attempt: int, turn: Permit) -> Reply:
        answer = StreamAccumulator()
        async with self.channel.budget.charge(self.role_model, f"{self.role}/{self.prompt.name}", body) as bill:
            try:
                reply = await self._with_metrics(body, attempt, turn, answer)
            finally:
                bill.partial(answer.size)
            bill.commit(reply.provenance)
            return reply

    async def _with_metrics(self, body: dict[str, Any], attempt: int, turn: Permit, answer: StreamAccumulator) -> Reply:
        """Call, and tell gate, metrics and traces what it came to."""
        count = call_metrics(self.role_model.endpoint, self.role_model.model, self.role)
        with turn.telling(count), traces.call(self.role_model.model, self.role):
            reply = await self._stream(body, attempt, turn, answer)
        count.succeeded(reply.provenance)
        return reply

    async def _stream(self, body: dict[str, Any], attempt: int, turn: Permit, answer: StreamAccumulator) -> Reply:
        started, clock = utc_now(), time.perf_counter()
        try:
            await self._accumulate(body, answer, turn)
        except TimeoutError:
            seconds = time.perf_counter() - clock
            raise TimedOut(f"endpoint {self.role_model.endpoint}: Timeout: given up after {seconds:.0f} s") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.role_model.endpoint} answers {error}") from error
        if answer.finish_reason in BROKEN:
            raise Transient(f"endpoint {self.role_model.endpoint} gave up the answer ({answer.finish_reason})")
        text, reasoning = answer.parts()
        provenance = self._provenance(answer, body, attempt, started, clock)
        return Reply(text, reasoning, (provenance,), answer.fault(text))

    async def _accumulate(self, body: dict[str, Any], answer: StreamAccumulator, turn: Permit) -> None:
        """Take the answer in, chunk by chunk. Raises TimeoutError."""
        place, clock = self.channel.endpoint.place, asyncio.get_running_loop().time
        async with (
            asyncio.timeout(place.call_s),
            asyncio.timeout(place.first_token_s) as silence,
            aclosing(self.channel.endpoint.chat(body)) as chunks,
        ):
            async for chunk in chunks:
                answer.add(chunk)
                turn.taken()
                silence.reschedule(clock() + place.idle_s)
                if answer.finish_reason == "text_limit":
                    return

    def _body(self, messages: Messages, seed: int, limit: int | None, form: type[BaseModel] | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.role_model.model,
            "messages": messages,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": self.role_model.temperature,
            "top_p": self.role_model.top_p,
            "max_tokens": limit,
            "response_format": response_format(form) if form else None,
            **self.role_model.extra,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _provenance(
        self, answer: StreamAccumulator, body: dict[str, Any], attempt: int, started: datetime, clock: float
    ) -> Provenance:
        prompt, completion = answer.count("prompt_tokens"), answer.count("completion_tokens")
        return Provenance(
            role=self.role,
            endpoint=self.role_model.endpoint,
            model=self.role_model.model,
            revision=answer.revision,
            served=answer.model if answer.model != self.role_model.model else None,
            simulated=self.channel.endpoint.place.simulated,
            prompt=self.prompt.name,
            prompt_hash=self.prompt.hash,
            temperature=self.role_model.temperature,
            top_p=self.role_model.top_p,
            max_tokens=body.get("max_tokens"),
            extra=self.role_model.extra or None,
            seed=body["seed"],
            attempt=attempt,
            finish_reason=answer.finish_reason,
            prompt_tokens=prompt,
            completion_tokens=completion,
            reasoning_tokens=answer.count("reasoning_tokens"),
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
            cost=self.role_model.cost(prompt, completion),
        )
