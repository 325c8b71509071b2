"""How many calls one endpoint gets at once from this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.llm.errors import Busy


class Turn:
    """One call that was let through."""

    async def refused(self, busy: Busy) -> None:
        """Wait before the same call is tried again."""
        await asyncio.sleep(busy.retry_after_s or 1.0)

    def served(self) -> None:
        """Tell that an answer came."""

    def broken(self) -> None:
        """Tell that the call broke."""


class Gate:
    """Lets calls through, up to a limit."""

    def __init__(self, endpoint: str, at_once: int) -> None:
        self._endpoint = endpoint
        self._free = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a place, hold it until the end of the block."""
        async with self._free:
            yield Turn()
