"""The time of an answer: from the settings, multiplied by a factor of each request."""

import asyncio
from dataclasses import dataclass

from services.simulator.api.completion import Completion
from services.simulator.api.request import ChatRequest
from services.simulator.faults import Fault, Faults
from services.simulator.sampling import seeded_random
from services.simulator.settings import Settings


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds to the first token, and seconds for all further tokens."""

    first_s: float
    rest_s: float

    @classmethod
    def of(
        cls, chat: ChatRequest, answer: Completion, fault: Fault | None, faults: Faults, settings: Settings
    ) -> "Latency":
        """Return the latency; equal for equal requests with the same settings and faults."""
        token_s = 1 / faults.tokens_per_s if faults.tokens_per_s else 0.0
        if fault == "trickle":
            token_s = faults.trickle_s
        rest_s = settings.latency_ms.get(chat.model, 0) / 1000 + token_s * answer.completion_tokens
        factor = _factor(chat, faults.spread, settings.seed) if faults.spread else 1.0
        return cls(factor * faults.first_token_ms / 1000, factor * rest_s)

    async def wait_until(self, share: float, started_at: float) -> None:
        """Wait until this share of the answer is due. `started_at` is the start on the event loop's clock."""
        wait = started_at + self.first_s + self.rest_s * share - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)


def _factor(chat: ChatRequest, spread: float, seed: int) -> float:
    """Return a lognormal factor with mean 1, so that the mean time is that of the settings."""
    return seeded_random(seed, "time", chat.digest).lognormvariate(-(spread**2) / 2, spread)
