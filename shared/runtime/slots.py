"""Semaphore with an exclusive mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """A semaphore whose slots can all be taken by one holder. Waiters are served in order, so none starves."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = asyncio.Semaphore(number)
        self._exclusive_turn = asyncio.Lock()

    @property
    def has_free(self) -> bool:
        """Whether a slot can be taken without waiting."""
        return not self._free.locked()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold one slot until the end of the block."""
        async with self._free:
            yield

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold all slots: no other holder is inside."""
        async with self._exclusive_turn:
            taken = 0
            try:
                while taken < self._number:
                    await self._free.acquire()
                    taken += 1
                yield
            finally:
                for _ in range(taken):
                    self._free.release()
