"""The way to one endpoint: its client, the gate before it, and the purse that pays."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from shared.llm.budget_guard import Purse
from shared.llm.endpoint import Endpoint
from shared.llm.limiter.limiter import Gate
from shared.llm.limiter.permit import Turn
from shared.llm.limiter.vllm_load import watch

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Line:
    """Shared by everything in the process that speaks to this endpoint."""

    endpoint: Endpoint
    gate: Gate
    purse: Purse
    models: set[str] = field(default_factory=set)
    """What is asked for here."""
    takes_schemas: bool = field(init=False)
    """Whether a structured answer is asked for by `response_format`, and not in the prompt."""
    _watch: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.takes_schemas = self.endpoint.place.structured != "prompt"

    def turn(self) -> Turn:
        """A place for one call. With the first, the server's load is watched."""
        if self._watch is None:
            self._watch = asyncio.create_task(watch(self.endpoint, self.gate, self.models))
        return Turn(self.gate)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.endpoint.aclose()

    def takes_no_schemas(self, why: str) -> None:
        """Remember what the endpoint does not understand."""
        if self.takes_schemas:
            log.warning("from now on forms are asked for in the prompt: %s", why)
        self.takes_schemas = False
