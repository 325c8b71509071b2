"""An endpoint that records its replies chunk by chunk, for `chimera check models`.

It replaces the endpoint of a model's channel, so that the check uses the services' own client.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Invalid
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.replies.stream_accumulator import StreamAccumulator
from shared.llm.replies.wire import Chunk

_CONFIGURATION_ERROR = re.compile(r" answers (?:30\d|40[123457]|410):")
"""Errors for which a check does not wait."""


@dataclass(slots=True)
class Call:
    """One call with at least one chunk of an answer."""

    by_schema: bool
    """Whether it requested a structured answer by `response_format`."""
    started: float = field(default_factory=time.perf_counter)
    first_token_s: float | None = None
    latency_s: float = 0.0
    answer: StreamAccumulator = field(default_factory=StreamAccumulator)
    _field: str | None = None

    def add(self, chunk: Chunk) -> None:
        """Record a chunk."""
        self.answer.add(chunk)
        self.latency_s = time.perf_counter() - self.started
        if self.first_token_s is None and self.answer.size:
            self.first_token_s = self.latency_s
        self._field = self._field or chunk.reasoning_field

    @property
    def tokens(self) -> int | None:
        return self.answer.usage.completion_tokens

    @property
    def tokens_per_s(self) -> float | None:
        """Rate after the first token; `None` when the endpoint does not count tokens, or sent one piece."""
        streamed_s = self.latency_s - (self.first_token_s or 0.0)
        return self.tokens / streamed_s if self.tokens and streamed_s > 0.01 else None

    @property
    def thinking(self) -> str | None:
        """Where the thinking was: the name of a field, or `<think>` for tags in the text."""
        return self._field or ("<think>" if self.answer.parts()[1] else None)


class RecordingEndpoint(EndpointClient):
    """Uses an endpoint's connections."""

    def __init__(self, inner: EndpointClient, timeout_s: float) -> None:
        vars(self).update(vars(inner))
        self.calls: list[Call] = []
        self.busy: str | None = None
        """Why the last call was refused."""
        self.structured_call: Call | None = None
        """The last call for a structured answer."""
        self._timeout_s = timeout_s
        self._deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def answer_deadline(self) -> AsyncIterator[None]:
        """Limit the time of each answer in the block. The wait for a slot in this process does not count.

        Raises TimeoutError.
        """
        async with asyncio.timeout(None) as self._deadline:
            yield

    def _start_clock(self) -> None:
        """Start the deadline with the first attempt at an answer."""
        if self._deadline and self._deadline.when() is None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._timeout_s)

    async def embeddings(self, body: dict[str, Any]) -> Any:
        """Request embeddings as `EndpointClient.embeddings`."""
        self._start_clock()
        return await super().embeddings(body)

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Stream as `EndpointClient.chat`. Raises Invalid where waiting does not help."""
        self._start_clock()
        call = Call("response_format" in body)
        try:
            async with aclosing(super().chat(body)) as chunks:
                async for chunk in chunks:
                    if not self.calls or self.calls[-1] is not call:
                        self.calls.append(call)
                    call.add(chunk)
                    yield chunk
            if self._deadline:
                self._deadline.reschedule(None)
        except Busy as busy:
            self.busy = str(busy)
            if _CONFIGURATION_ERROR.search(self.busy):
                raise Invalid(self.busy) from None
            raise
