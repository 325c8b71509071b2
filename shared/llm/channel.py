"""One endpoint: its client, its concurrency limiter and its budget."""

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
    """Shared by all models of the process that use this endpoint."""

    endpoint: EndpointClient
    limiter: ConcurrencyLimiter
    budget: BudgetGuard
    models: set[str] = field(default_factory=set)
    """Names of the models requested here."""
    supports_schemas: bool = field(init=False)
    """Whether structured answers use `response_format`, and not the prompt."""
    _polling: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.supports_schemas = self.endpoint.config.structured != "prompt"

    def permit(self) -> Permit:
        """Create a permit for one call. The first one starts polling the server's load."""
        if self._polling is None:
            self._polling = asyncio.create_task(poll(self.endpoint, self.limiter, self.models))
        return Permit(self.limiter)

    async def aclose(self) -> None:
        """Stop polling and close every connection."""
        if self._polling:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
        await self.endpoint.aclose()

    def disable_schemas(self, why: str) -> None:
        """Put the schema into the prompt from now on."""
        if self.supports_schemas:
            log.warning("endpoint lacks `response_format`, putting the JSON Schema into the prompt: %s", why)
        self.supports_schemas = False
