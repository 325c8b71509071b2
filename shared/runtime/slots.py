"""So many at once, or one quite alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """A semaphore of which somebody may take everything. Whoever waits is served in turn, so nobody starves."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = asyncio.Semaphore(number)
        self._one_by_one = asyncio.Lock()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold one slot."""
        async with self._free:
            yield

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold all slots: nobody else is inside."""
        async with self._one_by_one:
            held = 0
            try:
                while held < self._number:
                    await self._free.acquire()
                    held += 1
                yield
            finally:
                for _ in range(held):
                    self._free.release()
