"""Stops a service whose last events all failed, so that an outage or a bad deploy does not flood the dead letters.

While it is stopped, events stay unfinished: one at a time is tried, with backoff, until one succeeds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from shared.backoff import backoff
from shared.errors import OverBudget
from shared.telemetry import metrics

FIRST_WAIT_S = 1.0
"""Shortest wait before an event is tried again, in seconds; doubles up to 30 s, with jitter."""
MESSAGE_LIMIT = 200
STOPPED = "stopped"
"""Beginning of the reason for which a stopped service is not ready."""


class FloodGuard:
    """Counts failures in a row.

    Two causes do not count: a record that is not an event, which is the sender's fault, and a spent budget, after which
    every event is meant to become a dead letter.
    """

    def __init__(self, service: str, limit: int) -> None:
        self._limit = limit
        self._failures = 0
        self._tries = 0
        self._last = ""
        self._trying = asyncio.Lock()
        self._resumed = asyncio.Event()
        self._metric = metrics.STOPPED.labels(service)
        self._metric.set(0)

    @property
    def stopped(self) -> bool:
        return self._failures >= self._limit

    def why_stopped(self) -> str | None:
        """Return the reason in one line; `None` while the service works."""
        if not self.stopped:
            return None
        return (
            f"stopped: the last {self._failures} events failed, one is tried again every 30 s; the last: {self._last}"
        )

    def record_success(self) -> None:
        """Resume."""
        self._failures = self._tries = 0
        self._metric.set(0)
        self._resumed.set()

    def record_failure(self, error: BaseException) -> bool:
        """Count a failed event. Returns whether it becomes a dead letter, and is not tried again."""
        if isinstance(error, OverBudget):
            return True
        self._last = f"{type(error).__name__}: {error}"[:MESSAGE_LIMIT]
        if self.stopped:
            return False
        self._failures += 1
        if self.stopped:
            self._metric.set(1)
            self._resumed.clear()
        return True

    def next_wait_s(self) -> float:
        """Return how long to wait before the next try, in seconds."""
        self._tries += 1
        return backoff(FIRST_WAIT_S, self._tries - 1)

    async def until_resumed(self) -> None:
        """Wait while the service is stopped."""
        while self.stopped:
            await self._resumed.wait()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Enter without waiting while the service works; one at a time, with backoff, while it is stopped."""
        async with AsyncExitStack() as stack:
            if self.stopped:
                await stack.enter_async_context(self._trying)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.until_resumed(), self.next_wait_s())
                if not self.stopped:
                    await stack.aclose()
            yield
