"""Similarity of texts: the cosines of their vectors, from an embeddings endpoint."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from schemas.config.models_config import RoleModel
from schemas.item import Provenance
from shared.call_journal import from_journal
from shared.clock import utc_now
from shared.errors import Transient
from shared.llm.budget_guard import Charge
from shared.llm.channel import EndpointChannel
from shared.llm.limiter.limiter import Permit
from shared.llm.replies.wire import Usage, parse_embeddings, parse_usage
from shared.ports import Similarities

TASK = "embedding"
SIMILARITIES = TypeAdapter(Similarities)


@dataclass(frozen=True, slots=True)
class Embedder:
    """A `shared.ports.Embedder`. Its calls have journal, limiter, budget and metrics like those of chat models."""

    channel: EndpointChannel
    role_model: RoleModel
    caller: str

    async def similarities(self, text: str, others: Sequence[str]) -> Similarities:
        body = {"model": self.role_model.model, "input": [text, *others], **self.role_model.extra}
        return await from_journal(body, SIMILARITIES, lambda: self._call(body))

    async def _call(self, body: dict[str, Any]) -> Similarities:
        async def request(permit: Permit, charge: Charge) -> tuple[Similarities, Provenance]:
            similarities = await self._request(body)
            return similarities, similarities.call

        budget_body = {"messages": body["input"], "max_tokens": 1}  # all tokens are those of the prompt
        return await self.channel.call(self.role_model, self.caller, TASK, budget_body, request)

    async def _request(self, body: dict[str, Any]) -> Similarities:
        started, started_s = utc_now(), time.perf_counter()
        answer = await self.channel.endpoint.embeddings(body)
        try:
            first, *others = parse_embeddings(answer, len(body["input"]))
        except ValueError as error:
            raise Transient(f"endpoint {self.role_model.endpoint} sends an invalid reply: {error}") from error
        prompt = (parse_usage(answer) or Usage()).prompt_tokens
        call = Provenance(
            role=self.caller,
            endpoint=self.role_model.endpoint,
            model=self.role_model.model,
            simulated=self.channel.endpoint.config.simulated,
            prompt=TASK,
            prompt_hash="",
            prompt_tokens=prompt,
            completion_tokens=0,
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - started_s, 6),
            cost=self.role_model.cost(prompt, 0),
        )
        return Similarities(tuple(_cosine(first, other) for other in others), call)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return math.fsum(x * y for x, y in zip(one, other, strict=True)) / length if length else 0.0
