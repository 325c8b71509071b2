"""The way to one endpoint: its client, the gate before it, and the purse that pays."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from shared.llm.budget_guard import BudgetGuard
from shared.llm.endpoint import EndpointClient
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.llm.limiter.permit import Permit
from shared.llm.limiter.vllm_load import poll

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EndpointChannel:
    """Shared by everything in the process that speaks to this endpoint."""

    endpoint: EndpointClient
    limiter: ConcurrencyLimiter
    budget: BudgetGuard
    models: set[str] = field(default_factory=set)
    """What is asked for here."""
    supports_schemas: bool = field(init=False)
    """Whether a structured answer is asked for by `response_format`, and not in the prompt."""
    _watch: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.supports_schemas = self.endpoint.place.structured != "prompt"

    def permit(self) -> Permit:
        """A place for one call. With the first, the server's load is watched."""
        if self._watch is None:
            self._watch = asyncio.create_task(poll(self.endpoint, self.limiter, self.models))
        return Permit(self.limiter)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.endpoint.aclose()

    def disable_schemas(self, why: str) -> None:
        """Remember what the endpoint does not understand."""
        if self.supports_schemas:
            log.warning("from now on forms are asked for in the prompt: %s", why)
        self.supports_schemas = False
