"""A model with a prompt, in one role: `shared.ports.Model` over an endpoint.

Everything is streamed, structured answers too: one path, and no proxy sees minutes of silence.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from schemas.identity import content_hash
from schemas.item import Provenance
from shared.clock import utc_now
from shared.errors import Transient
from shared.journal import journal
from shared.llm.answer import BROKEN, Answer
from shared.llm.endpoint import Endpoint
from shared.llm.forms import parse, response_format
from shared.llm.prompts import Prompt
from shared.llm.roles import RoleModel
from shared.ports import Malformed, Reply, T

TRIES = 3
"""Calls for one structured answer."""
CALL_S = 7200.0
"""Longest call, in seconds; an endpoint that only sends keep-alives would be waited for without end."""

REPLY = TypeAdapter(Reply)


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A `shared.ports.Model`. `asked_by` is the service, for lineage."""

    endpoint: Endpoint
    spec: RoleModel
    prompt: Prompt
    asked_by: str

    @property
    def name(self) -> str:
        return self.spec.model

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        return await self._ask(fields, seed, attempt=0)

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        calls: tuple[Provenance, ...] = ()
        problem = ""
        for attempt in range(TRIES):
            reply = await self._ask(fields, (seed + attempt * 1_000_003) % 2**31, attempt, form)
            calls += (reply.provenance,)
            try:
                if reply.finished:
                    return parse(form, reply.text), calls
                problem = f"no finished answer (finish_reason {reply.provenance.finish_reason})"
            except ValueError as error:
                problem = str(error)
        raise Malformed(f"{self.name} did not give a {form.__name__.lower()} in {TRIES} tries: {problem}", calls)

    async def _ask(
        self, fields: Mapping[str, str], seed: int, attempt: int, form: type[BaseModel] | None = None
    ) -> Reply:
        body, kept = self._body(fields, seed, form), journal()
        if kept is None:
            return await self._call(body, attempt)
        name = content_hash(json.dumps(body, sort_keys=True))
        result = kept.recall(name)
        if result is None:
            result = await kept.keep(name, REPLY.dump_json(await self._call(body, attempt)))
        return REPLY.validate_json(result)

    async def _call(self, body: dict[str, Any], attempt: int) -> Reply:
        started, clock = utc_now(), time.perf_counter()
        answer = Answer()
        try:
            async with (
                asyncio.timeout(CALL_S),
                aclosing(self.endpoint.chat(body, self.spec.idle_s)) as chunks,
            ):
                async for chunk in chunks:
                    answer.add(chunk)
                    if answer.finish_reason == "text_limit":
                        break
        except TimeoutError:
            raise Transient(f"endpoint {self.spec.endpoint} took longer than {CALL_S:.0f} s for one answer") from None
        if answer.finish_reason in BROKEN:
            raise Transient(f"endpoint {self.spec.endpoint} gave up the answer ({answer.finish_reason})")
        text, reasoning, finished = answer.parts()
        return Reply(text, reasoning, finished, self._provenance(answer, body["seed"], attempt, started, clock))

    def _body(self, fields: Mapping[str, str], seed: int, form: type[BaseModel] | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.spec.model,
            "messages": self.prompt.messages(fields),
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": self.spec.temperature,
            "top_p": self.spec.top_p,
            "max_tokens": self.spec.max_tokens,
            "response_format": response_format(form) if form else None,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _provenance(self, answer: Answer, seed: int, attempt: int, started: datetime, clock: float) -> Provenance:
        return Provenance(
            role=self.asked_by,
            endpoint=self.spec.endpoint,
            model=self.spec.model,
            revision=answer.revision,
            simulated=self.spec.simulated,
            prompt=self.prompt.name,
            prompt_hash=self.prompt.hash,
            temperature=self.spec.temperature,
            top_p=self.spec.top_p,
            max_tokens=self.spec.max_tokens,
            seed=seed,
            attempt=attempt,
            finish_reason=answer.finish_reason,
            prompt_tokens=answer.count("prompt_tokens"),
            completion_tokens=answer.count("completion_tokens"),
            reasoning_tokens=answer.count("reasoning_tokens"),
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
        )
