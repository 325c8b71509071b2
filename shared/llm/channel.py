"""One endpoint: its client, its concurrency limiter and its budget. Every model call passes through `call`."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from schemas.config.models_config import RoleModel
from schemas.item import Provenance
from shared.call_journal import journal
from shared.errors import Invalid, Transient
from shared.llm.budget_guard import BudgetGuard, Charge
from shared.llm.call_metrics import call_metrics
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.limiter.limiter import ConcurrencyLimiter, Permit
from shared.llm.limiter.vllm_load import poll
from shared.llm.profile import FAILURES_TO_SUSPECT, ParameterProfile, is_server_error
from shared.llm.replies.structured_output import MODES, StructuredMode
from shared.telemetry import traces

log = logging.getLogger(__name__)

LIST_TIMEOUT_S = 5.0
LIST_INTERVAL_S = 60.0
"""Between two attempts to read the list of models."""

R = TypeVar("R")
Send = Callable[[Permit, Charge], Awaitable[tuple[R, Provenance]]]
"""Sends one request. Returns its result and the call for the lineage."""


@dataclass(slots=True)
class EndpointChannel:
    """Shared by all models of the process that use this endpoint."""

    endpoint: EndpointClient
    limiter: ConcurrencyLimiter
    budget: BudgetGuard
    models: set[str] = field(default_factory=set)
    """Names of the models requested here."""
    _profiles: dict[str, ParameterProfile] = field(default_factory=dict)
    _modes: tuple[StructuredMode, ...] = field(init=False)
    _formats_work: bool = False
    _format_failures: int = 0
    _weights: dict[str, str | None] = field(default_factory=dict)
    _next_reading: float = -math.inf
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _polling: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        configured = self.endpoint.config.structured
        self._modes = MODES[MODES.index(configured) if configured in MODES else 0 :]

    async def call(self, model: RoleModel, caller: str, task: str, body: Mapping[str, Any], send: Send[R]) -> R:
        """Send a request when a slot is free and the budget has room for `body`, and record what it cost.

        Repeats the request while the endpoint is Busy, since nothing was done or paid. Raises what `send` raises.
        """
        metrics = call_metrics(model.endpoint, model.model, caller)
        self._start_polling()
        await self._read_weights()
        async with self.limiter.permit(model.model) as permit:
            while True:
                try:
                    async with self.budget.charge(model, f"{caller}/{task}", body) as charge:
                        if records := journal():
                            await records.check()
                        with permit.request(), metrics.count_failure(), traces.call(model.model, caller):
                            result, call = await send(permit, charge)
                        metrics.succeeded(call)
                        charge.commit(call)
                        return result
                except Busy as busy:
                    await permit.wait_to_retry(busy)

    async def aclose(self) -> None:
        """Stop polling and close every connection."""
        if self._polling:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
        await self.endpoint.aclose()

    def weights(self, model: str) -> str | None:
        """What the endpoint's list of models says is behind a name; `None` when it says nothing."""
        return self._weights.get(model)

    async def _read_weights(self) -> None:
        """Read the list of models before the first call; when that fails, again before a later call."""
        async with self._reading:
            now = asyncio.get_running_loop().time()
            if now < self._next_reading:
                return
            try:
                async with asyncio.timeout(LIST_TIMEOUT_S):
                    self._weights = await self.endpoint.models(LIST_TIMEOUT_S)
                self._next_reading = math.inf
            except (Busy, Transient, Invalid, TimeoutError):
                self._next_reading = asyncio.get_running_loop().time() + LIST_INTERVAL_S

    def profile(self, model: str) -> ParameterProfile:
        """The parameters that the endpoint accepts for a model."""
        return self._profiles.setdefault(model, ParameterProfile(self.endpoint.alias))

    @property
    def modes(self) -> tuple[StructuredMode, ...]:
        """Ways to request a structured answer, best first, without those that the endpoint has refused."""
        return self._modes

    def suspects_formats(self, error: Exception) -> bool:
        """Whether `response_format` may be the cause of an error: the second 500 or 501, and it has never worked."""
        if self._formats_work or not is_server_error(error):
            return False
        self._format_failures += 1
        return self._format_failures >= FAILURES_TO_SUSPECT

    def record_mode(self, mode: StructuredMode, refusal: str) -> None:
        """A structured answer has come in this mode. If better modes were refused, they are not tried again."""
        self._formats_work = self._formats_work or mode != "prompt"
        if refusal and mode in self._modes[1:]:
            log.warning("endpoint %s: structured answers by %s from now on: %s", self.endpoint.alias, mode, refusal)
            self._modes = self._modes[self._modes.index(mode) :]

    def _start_polling(self) -> None:
        """Read the server's load from the first call on."""
        if self._polling is None:
            self._polling = asyncio.create_task(poll(self.endpoint, self.limiter, self.models))
