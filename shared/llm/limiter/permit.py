"""One call at the gate, from its place in line to its end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from shared.errors import Invalid, Transient
from shared.llm.call_metrics import CallMetrics
from shared.llm.errors import Busy, TimedOut, UnsupportedSchema
from shared.llm.limiter.limiter import ConcurrencyLimiter

MAX_WAIT_S = 60.0
"""How long a call is refused before a line in the log says so."""


class Permit:
    """One call: it enters, tries until the endpoint takes it, and leaves. Cancelled anywhere, it frees its place."""

    __slots__ = ("_began", "_gate", "_inside", "_refusals", "_since", "_taken")

    def __init__(self, gate: ConcurrencyLimiter) -> None:
        self._gate = gate
        self._inside = False
        self._began = 0.0
        self._taken = False
        self._refusals, self._since = 0, 0.0

    async def __aenter__(self) -> Self:
        await self._acquire()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._inside:
            self._release()

    @contextmanager
    def telling(self, count: CallMetrics) -> Iterator[None]:
        """One request, whose outcome the gate and the metrics hear; of a refusal the gate hears in `refused`."""
        self.begins()
        try:
            yield
        except (Busy, Transient, Invalid, UnsupportedSchema) as error:
            count.failed(error)
            if isinstance(error, Transient):
                self.broken(error)
            elif not isinstance(error, Busy):
                self.served()
            raise
        self.served()

    def begins(self) -> None:
        """A request goes out."""
        self._began = self._gate.now()
        self._taken = False
        self._gate.breaker.record_start(self)

    def taken(self) -> None:
        """The first of an answer is here."""
        if not self._taken:
            self._gate.first_token.observe(self._gate.now() - self._began)
            self._take()

    def served(self) -> None:
        """The endpoint has answered."""
        if not self._taken:
            self._take()
        self._gate.record_success(self, self._gate.now() - self._began)

    def broken(self, why: Transient) -> None:
        """The endpoint has failed."""
        wasted_s = self._gate.now() - self._began if isinstance(why, TimedOut) else 0.0
        self._gate.record_failure(self, why, wasted_s, lost=self._taken)

    async def refused(self, busy: Busy) -> None:
        """Wait until the same may be asked again; with a place then."""
        gate = self._gate
        gate.record_failure(self, busy, gate.now() - self._began, retry_after_s=busy.retry_after_s)
        self._refusals += 1
        self._since = self._since or gate.now()
        if gate.now() - self._since >= MAX_WAIT_S:
            gate.status(f"a call was refused {self._refusals} times, and is made again: {busy}")
        rest_s = 0.0
        if not gate.breaker.open:
            rest_s = gate.rest_s(self._refusals)
            with gate.is_resting():
                await asyncio.sleep(rest_s)
        wait_s = (busy.retry_after_s or 0.0) - rest_s
        if wait_s > 0 or gate.record_busy:
            self._release()
            with gate.outside():
                await asyncio.sleep(max(wait_s, 0.0))
            await self._acquire(first=True)

    async def _acquire(self, first: bool = False) -> None:
        """Wait for a place."""
        if not self._gate.try_acquire(self):
            place = self._gate.enqueue(self, first)
            try:
                await place
            except asyncio.CancelledError:
                if not place.cancelled():  # the place was given in the very moment of the cancellation
                    self._gate.release(self)
                raise
        self._inside = True

    def _take(self) -> None:
        self._taken = True
        self._gate.record_accepted(self)

    def _release(self) -> None:
        self._inside = False
        self._gate.release(self)
