"""Work that may be cancelled when the process stops: it waits, or its requests go to an endpoint that takes none.

The worker holds an `Interruptible` for each event that it handles. Whatever waits or sends a request on behalf of the
event, in any of its tasks, reports it by `waiting` and `requesting`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_current: ContextVar["Interruptible | None"] = ContextVar("interruptible", default=None)


class Interruptible:
    """The task of one event. After `stop` it is cancelled as soon as it waits and no request can bring an answer."""

    def __init__(self, task: asyncio.Task[Any] | None) -> None:
        self._task = task
        self._open: dict[object, Callable[[], bool]] = {}
        """By wait or request: whether nothing is lost when it is cancelled."""
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self._cancel_if_idle()

    def _cancel_if_idle(self) -> None:
        if self._may_cancel and self._task:
            self._task.cancel()

    @property
    def _may_cancel(self) -> bool:
        return self._stopping and bool(self._open) and all(is_idle() for is_idle in self._open.values())

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let waits and requests report to this, here and in tasks that are created here."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def during(self, is_idle: Callable[[], bool]) -> Iterator[None]:
        """Register a wait or a request.

        Raises CancelledError itself: a task that cancels itself would run until it next suspends, which is after its
        request is sent where a slot is free.
        """
        self._open[key := object()] = is_idle
        try:
            if self._may_cancel:
                if self._task is not asyncio.current_task():
                    self._cancel_if_idle()
                raise asyncio.CancelledError
            yield
        finally:
            del self._open[key]
            self._cancel_if_idle()


@contextmanager
def waiting() -> Iterator[None]:
    """Report a wait."""
    with requesting(lambda: True):
        yield


@contextmanager
def requesting(is_idle: Callable[[], bool]) -> Iterator[None]:
    """Report a request. `is_idle` returns whether it may be cancelled: no answer is expected."""
    if (current := _current.get()) is None:
        yield
        return
    with current.during(is_idle):
        yield
