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

from schemas.config.models_config import Part
from schemas.identity import content_hash
from schemas.item import Provenance
from shared.call_journal import journal
from shared.clock import utc_now
from shared.errors import Transient
from shared.llm.call_metrics import meter
from shared.llm.channel import Line
from shared.llm.errors import Busy, TimedOut, Unformed
from shared.llm.limiter.permit import Turn
from shared.llm.prompts import Prompt
from shared.llm.stream_accumulator import BROKEN, Answer
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

    line: Line
    part: Part
    prompt: Prompt
    asked_by: str

    @property
    def name(self) -> str:
        return self.part.model

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        return await self._answer(self.prompt.messages(fields, seed), seed, attempt=0)

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        messages = self.prompt.messages(fields, seed)
        calls: tuple[Provenance, ...] = ()
        wrong, problem = Reply("", "", ()), ""
        for attempt in range(TRIES):
            again = repair(wrong.text, problem) if wrong.text else []
            wrong = await self._formed(messages + again, (seed + attempt * 1_000_003) % 2**31, attempt, form)
            calls += wrong.calls
            problem = f"no finished answer ({wrong.fault})"
            if wrong.finished:
                try:
                    return parse(form, wrong.text), calls
                except ValueError as error:
                    problem = str(error)
        said = f"{self.name} did not give a {form.__name__.lower()} in {TRIES} tries: {problem}"
        raise Malformed(said, calls, wrong.fault or "malformed")

    async def _formed(self, messages: Messages, seed: int, attempt: int, form: type[BaseModel]) -> Reply:
        """Ask for a form as the endpoint understands it."""
        if self.line.takes_schemas:
            try:
                return await self._answer(messages, seed, attempt, form)
            except Unformed as error:
                self.line.takes_no_schemas(str(error))
        return await self._answer(in_prompt(form, messages), seed, attempt)

    async def _answer(self, messages: Messages, seed: int, attempt: int, form: type[BaseModel] | None = None) -> Reply:
        """Ask; while the answer is cut off, with twice the tokens, up to the ceiling."""
        limit, calls = self.part.max_tokens, tuple[Provenance, ...]()
        while True:
            reply = await self._once(self._body(messages, seed, limit, form), attempt)
            calls += reply.calls
            if reply.fault != "too_long" or not limit or limit >= (self.part.ceiling or 0):
                return replace(reply, calls=calls)
            limit = min(2 * limit, self.part.ceiling or 0)

    async def _once(self, body: dict[str, Any], attempt: int) -> Reply:
        """What the journal holds, or else a call."""
        if (kept := journal()) is None:
            return await self._call(body, attempt)
        name = content_hash(json.dumps(body, sort_keys=True))
        if (result := await kept.recall(name)) is not None:
            return REPLY.validate_json(result)
        reply = await self._call(body, attempt)
        kept.keep(name, REPLY.dump_json(reply))
        return reply

    async def _call(self, body: dict[str, Any], attempt: int) -> Reply:
        """Call until the endpoint takes it. Only Busy is asked again here: nothing was done, nothing is paid."""
        async with self.line.turn() as turn:
            while True:
                try:
                    return await self._paid(body, attempt, turn)
                except Busy as busy:
                    await turn.refused(busy)

    async def _paid(self, body: dict[str, Any], attempt: int, turn: Turn) -> Reply:
        answer = Answer()
        async with self.line.purse.bill(self.part, f"{self.asked_by}/{self.prompt.name}", body) as bill:
            try:
                reply = await self._told(body, attempt, turn, answer)
            finally:
                bill.arrived(answer.size)
            bill.settle(reply.provenance)
            return reply

    async def _told(self, body: dict[str, Any], attempt: int, turn: Turn, answer: Answer) -> Reply:
        """Call, and tell gate, metrics and traces what it came to."""
        count = meter(self.part.endpoint, self.part.model, self.asked_by)
        with turn.telling(count), traces.call(self.part.model, self.asked_by):
            reply = await self._streamed(body, attempt, turn, answer)
        count.answered(reply.provenance)
        return reply

    async def _streamed(self, body: dict[str, Any], attempt: int, turn: Turn, answer: Answer) -> Reply:
        started, clock = utc_now(), time.perf_counter()
        try:
            await self._gather(body, answer, turn)
        except TimeoutError:
            seconds = time.perf_counter() - clock
            raise TimedOut(f"endpoint {self.part.endpoint}: Timeout: given up after {seconds:.0f} s") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.part.endpoint} answers {error}") from error
        if answer.finish_reason in BROKEN:
            raise Transient(f"endpoint {self.part.endpoint} gave up the answer ({answer.finish_reason})")
        text, reasoning = answer.parts()
        provenance = self._provenance(answer, body, attempt, started, clock)
        return Reply(text, reasoning, (provenance,), answer.fault(text))

    async def _gather(self, body: dict[str, Any], answer: Answer, turn: Turn) -> None:
        """Take the answer in, chunk by chunk. Raises TimeoutError."""
        place, clock = self.line.endpoint.place, asyncio.get_running_loop().time
        async with (
            asyncio.timeout(place.call_s),
            asyncio.timeout(place.first_token_s) as silence,
            aclosing(self.line.endpoint.chat(body)) as chunks,
        ):
            async for chunk in chunks:
                answer.add(chunk)
                turn.taken()
                silence.reschedule(clock() + place.idle_s)
                if answer.finish_reason == "text_limit":
                    return

    def _body(self, messages: Messages, seed: int, limit: int | None, form: type[BaseModel] | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.part.model,
            "messages": messages,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": self.part.temperature,
            "top_p": self.part.top_p,
            "max_tokens": limit,
            "response_format": response_format(form) if form else None,
            **self.part.extra,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _provenance(
        self, answer: Answer, body: dict[str, Any], attempt: int, started: datetime, clock: float
    ) -> Provenance:
        prompt, completion = answer.count("prompt_tokens"), answer.count("completion_tokens")
        return Provenance(
            role=self.asked_by,
            endpoint=self.part.endpoint,
            model=self.part.model,
            revision=answer.revision,
            served=answer.model if answer.model != self.part.model else None,
            simulated=self.line.endpoint.place.simulated,
            prompt=self.prompt.name,
            prompt_hash=self.prompt.hash,
            temperature=self.part.temperature,
            top_p=self.part.top_p,
            max_tokens=body.get("max_tokens"),
            extra=self.part.extra or None,
            seed=body["seed"],
            attempt=attempt,
            finish_reason=answer.finish_reason,
            prompt_tokens=prompt,
            completion_tokens=completion,
            reasoning_tokens=answer.count("reasoning_tokens"),
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
            cost=self.part.cost(prompt, completion),
        )
