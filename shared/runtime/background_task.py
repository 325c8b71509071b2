"""Work that goes on beside a service's own, for as long as that does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def run_in_background(work: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `work` until the end of the block; the event that it is given is then set."""
    over = asyncio.Event()
    working = asyncio.ensure_future(work(over))
    try:
        yield
    finally:
        over.set()  # a Kafka client that is being closed may swallow the cancellation
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
