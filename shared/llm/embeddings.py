"""How near texts are in meaning: the cosines of their vectors, by an endpoint for embeddings."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from schemas.config.models_config import RoleModel
from schemas.identity import content_hash
from schemas.item import Provenance
from shared.call_journal import journal
from shared.clock import utc_now
from shared.errors import Transient
from shared.llm.call_metrics import call_metrics
from shared.llm.channel import EndpointChannel
from shared.llm.errors import Busy
from shared.llm.limiter.permit import Permit
from shared.ports import Nearness
from shared.telemetry import traces

TASK = "embedding"
NEARNESS = TypeAdapter(Nearness)


@dataclass(frozen=True, slots=True)
class Embedder:
    """A `shared.ports.Embedder`. Paid for, metered and kept like any call to a model."""

    channel: EndpointChannel
    role_model: RoleModel
    role: str

    async def nearness(self, text: str, others: Sequence[str]) -> Nearness:
        """What the journal holds, or else a call."""
        body = {"model": self.role_model.model, "input": [text, *others], **self.role_model.extra}
        name = content_hash(json.dumps(body, sort_keys=True))
        kept = journal()
        if kept and (result := await kept.get(name)) is not None:
            return NEARNESS.validate_json(result)
        found = await self._call(body)
        if kept:
            kept.put(name, NEARNESS.dump_json(found))
        return found

    async def _call(self, body: dict[str, Any]) -> Nearness:
        asked = {"messages": body["input"], "max_tokens": 1}  # what the purse goes by: all is prompt
        async with self.channel.permit() as turn:
            while True:
                try:
                    async with self.channel.budget.charge(self.role_model, f"{self.role}/{TASK}", asked) as bill:
                        found = await self._with_metrics(body, turn)
                        bill.commit(found.call)
                        return found
                except Busy as busy:
                    await turn.refused(busy)

    async def _with_metrics(self, body: dict[str, Any], turn: Permit) -> Nearness:
        """Call, and tell gate, metrics and traces what it came to."""
        count, started = call_metrics(self.role_model.endpoint, self.role_model.model, self.role), utc_now()
        clock = time.perf_counter()
        with turn.telling(count), traces.call(self.role_model.model, self.role):
            answer = await self.channel.endpoint.embeddings(body)
            first, *others = _vectors(answer, len(body["input"]))
        prompt = (answer.get("usage") or {}).get("prompt_tokens")
        call = Provenance(
            role=self.role,
            endpoint=self.role_model.endpoint,
            model=self.role_model.model,
            simulated=self.channel.endpoint.place.simulated,
            prompt=TASK,
            prompt_hash="",
            prompt_tokens=prompt,
            completion_tokens=0,
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
            cost=self.role_model.cost(prompt, 0),
        )
        count.succeeded(call)
        return Nearness(tuple(_cosine(first, other) for other in others), call)


def _vectors(answer: dict[str, Any], number: int) -> list[list[float]]:
    """One for each text, in their order. Raises Transient when the answer holds anything else."""
    try:
        vectors = [one["embedding"] for one in sorted(answer["data"], key=lambda one: one["index"])]
        if len(vectors) != number or len({len(vector) for vector in vectors}) != 1:
            raise ValueError(f"{len(vectors)} vectors for {number} texts, or of several lengths")
        if not all(math.isfinite(x) for vector in vectors for x in vector):
            raise ValueError("some are no numbers")
    except (KeyError, TypeError, ValueError) as error:
        raise Transient(f"the answer holds no embeddings: {type(error).__name__}: {error}") from error
    return vectors


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return math.fsum(x * y for x, y in zip(one, other, strict=True)) / length if length else 0.0
