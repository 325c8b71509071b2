"""Who pays for a call. Without a budget nobody asks."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from schemas.cast import Part
from schemas.item import Provenance


class Bill(Protocol):
    """What is reserved for one call. Given back at the end when it was not settled: nothing was answered."""

    def settle(self, call: Provenance) -> None:
        """Tell what the call has cost."""
        ...


class Purse(Protocol):
    """The budget of a factory."""

    def bill(self, part: Part) -> AbstractAsyncContextManager[Bill]:
        """Reserve what a call may cost. Waits while others' reservations stand in the way; raises OverBudget."""
        ...


class _NoBill:
    def settle(self, call: Provenance) -> None:
        pass


class Unlimited:
    """The purse of a factory without a budget."""

    @asynccontextmanager
    async def bill(self, part: Part) -> AsyncIterator[Bill]:
        """Reserve nothing."""
        yield _NoBill()
