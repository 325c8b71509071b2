"""How near texts are in meaning: the cosines of their vectors, by an endpoint for embeddings."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from schemas.config.models_config import Part
from schemas.identity import content_hash
from schemas.item import Provenance
from shared.call_journal import journal
from shared.clock import utc_now
from shared.errors import Transient
from shared.llm.call_metrics import meter
from shared.llm.channel import Line
from shared.llm.errors import Busy
from shared.llm.limiter.permit import Turn
from shared.ports import Nearness
from shared.telemetry import traces

TASK = "embedding"
NEARNESS = TypeAdapter(Nearness)


@dataclass(frozen=True, slots=True)
class Embedder:
    """A `shared.ports.Embedder`. Paid for, metered and kept like any call to a model."""

    line: Line
    part: Part
    asked_by: str

    async def nearness(self, text: str, others: Sequence[str]) -> Nearness:
        """What the journal holds, or else a call."""
        body = {"model": self.part.model, "input": [text, *others], **self.part.extra}
        name = content_hash(json.dumps(body, sort_keys=True))
        kept = journal()
        if kept and (result := await kept.recall(name)) is not None:
            return NEARNESS.validate_json(result)
        found = await self._call(body)
        if kept:
            kept.keep(name, NEARNESS.dump_json(found))
        return found

    async def _call(self, body: dict[str, Any]) -> Nearness:
        asked = {"messages": body["input"], "max_tokens": 1}  # what the purse goes by: all is prompt
        async with self.line.turn() as turn:
            while True:
                try:
                    async with self.line.purse.bill(self.part, f"{self.asked_by}/{TASK}", asked) as bill:
                        found = await self._told(body, turn)
                        bill.settle(found.call)
                        return found
                except Busy as busy:
                    await turn.refused(busy)

    async def _told(self, body: dict[str, Any], turn: Turn) -> Nearness:
        """Call, and tell gate, metrics and traces what it came to."""
        count, started = meter(self.part.endpoint, self.part.model, self.asked_by), utc_now()
        clock = time.perf_counter()
        with turn.telling(count), traces.call(self.part.model, self.asked_by):
            answer = await self.line.endpoint.embeddings(body)
            first, *others = _vectors(answer, len(body["input"]))
        prompt = (answer.get("usage") or {}).get("prompt_tokens")
        call = Provenance(
            role=self.asked_by,
            endpoint=self.part.endpoint,
            model=self.part.model,
            simulated=self.line.endpoint.place.simulated,
            prompt=TASK,
            prompt_hash="",
            prompt_tokens=prompt,
            completion_tokens=0,
            started=started.isoformat(),
            latency_s=round(time.perf_counter() - clock, 6),
            cost=self.part.cost(prompt, 0),
        )
        count.answered(call)
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
