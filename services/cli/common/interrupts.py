"""Ctrl-C and SIGTERM: the first drains, the second stops immediately."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupts:
    """In the block, the first signal cancels the work passed to `run`, the second cancels the task of the block."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.count = 0
        self._on_first = on_first
        self._work: asyncio.Task[Any] | None = None

    def __enter__(self) -> "Interrupts":
        self._block = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.remove_signal_handler(number)

    async def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Await the work; return `None` when it was interrupted."""
        self._work = task = asyncio.ensure_future(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self.count != 1:
                raise
            return None

    def _signal(self) -> None:
        self.count += 1
        if self.count == 1:
            self._on_first()
        if self.count == 1 and self._work:
            self._work.cancel()
        elif self._block:
            self._block.cancel()
