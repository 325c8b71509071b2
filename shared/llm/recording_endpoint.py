"""An endpoint that is looked at: what really came back, chunk by chunk, while the services' own client asks.

A model's line is given it in place of its endpoint.
"""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Invalid
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.stream_accumulator import StreamAccumulator

_FIELDS = ("reasoning", "reasoning_content")
_FOR_GOOD = re.compile(r" answers 40[1234]:")
"""Who only asks once need not wait for these."""


class CallLimit(Exception):
    """No more calls may be made here."""


@dataclass(slots=True)
class Call:
    """One call that was answered, or is being answered."""

    by_schema: bool
    """Asked for a structured answer by `response_format`."""
    began: float = field(default_factory=time.perf_counter)
    first_token_s: float | None = None
    latency_s: float = 0.0
    answer: StreamAccumulator = field(default_factory=StreamAccumulator)
    _field: str | None = None

    def add(self, chunk: dict[str, Any]) -> None:
        """Note a chunk. Raises ValueError when it is none."""
        self.answer.add(chunk)
        self.latency_s = time.perf_counter() - self.began
        if self.first_token_s is None and self.answer.size:
            self.first_token_s = self.latency_s
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or choice.get("message") or {}
            self._field = self._field or next((name for name in _FIELDS if delta.get(name)), None)

    @property
    def tokens(self) -> int | None:
        return self.answer.count("completion_tokens")

    @property
    def tokens_per_s(self) -> float | None:
        """While it spoke; `None` when the endpoint does not count, or gave all at once."""
        spoke_s = self.latency_s - (self.first_token_s or 0.0)
        return self.tokens / spoke_s if self.tokens and spoke_s > 0.01 else None

    @property
    def thinking(self) -> str | None:
        """Where the thinking stood: a field's name, or `<think>` in the text."""
        return self._field or ("<think>" if self.answer.parts()[1] else None)


class RecordingEndpoint(EndpointClient):
    """Takes an endpoint's place, over its connections. Lets `limit` calls through, then raises Enough."""

    def __init__(self, inner: EndpointClient, limit: int) -> None:
        vars(self).update(vars(inner))
        self.calls: list[Call] = []
        self.busy: str | None = None
        """Why the last call was not taken."""
        self._limit = limit

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """As an endpoint does, but raises Invalid where waiting does not help."""
        if len(self.calls) == self._limit:
            raise CallLimit
        call = Call("response_format" in body)
        try:
            async with aclosing(super().chat(body)) as chunks:
                async for chunk in chunks:
                    if not self.calls or self.calls[-1] is not call:
                        self.calls.append(call)
                    call.add(chunk)
                    yield chunk
        except Busy as busy:
            self.busy = str(busy)
            if _FOR_GOOD.search(self.busy):
                raise Invalid(self.busy) from None
            raise
