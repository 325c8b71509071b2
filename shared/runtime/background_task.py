"""A background task that is bound to a service's lifetime."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def run_in_background(work: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `work` until the end of the block. Then its argument, an event, is set and the task is cancelled."""
    stopping = asyncio.Event()
    task = asyncio.ensure_future(work(stopping))
    try:
        yield
    finally:
        stopping.set()  # a Kafka client that is being closed may swallow the cancellation
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
