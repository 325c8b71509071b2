"""Background tasks: one that is bound to a service's lifetime, and work that is repeated beside a loop."""

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


class BackgroundWork:
    """Runs work beside a loop, one run at a time. A run that is requested during another one follows it."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._is_requested = False
        self._task: asyncio.Task[None] | None = None

    async def request(self, wait_s: float) -> None:
        """Request a run, and wait for its end, at most `wait_s` seconds. Raises what a run raised."""
        self.check()
        self._is_requested = True
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await asyncio.wait([self._task], timeout=wait_s)
        self.check()

    def check(self) -> None:
        """Raise what the last run raised."""
        if self._task and self._task.done():
            task, self._task = self._task, None
            task.result()

    async def finish(self) -> None:
        """Wait until nothing runs. Raises what a run raised."""
        if self._task:
            await asyncio.wait([self._task])
        self.check()

    async def _run(self) -> None:
        while self._is_requested:
            self._is_requested = False
            await self._work()
