"""How many calls one endpoint gets at once from this process: a line, first come first served, before a few places.

    closed circuit   calls go out while places are free; how many there are is found out (window.py)
    open circuit     one probe at a time goes out (breaker.py); those in line stay there, nothing is burnt

A call that is refused keeps its place and rests shortly before it asks again, so that one place too many is tried now
and then and does not spin. It waits outside, and comes first afterwards, when it was told to come back later, when
there are fewer places by now, or when the circuit is open.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.backoff import backoff
from shared.llm.limiter.aimd import AimdLimit, Load
from shared.llm.limiter.circuit_breaker import SILENCE_S, CircuitBreaker
from shared.telemetry.metrics import MODEL_CIRCUIT_OPEN, MODEL_FIRST_TOKEN, MODEL_LIMIT, MODEL_WAITING

log = logging.getLogger(__name__)

SHORTEST_S, LONGEST_S = 0.005, 1.0
"""Bounds of a refused call's first rest; between them it is a quarter of what a call takes."""
USUAL_S = 0.4
"""What a call is thought to take before one was served."""
RESTS = 16
"""The longest rest, in first rests: four times what a call takes."""


class ConcurrencyLimiter:
    """The one way to an endpoint, for one event loop. What calls tell it stands in turn.py."""

    def __init__(self, endpoint: str, at_once: int) -> None:
        self.window = AimdLimit(at_once)
        self.breaker = CircuitBreaker(endpoint)
        self.inside = 0
        """Calls that have a place."""
        self.busy, self.curious = asyncio.Event(), asyncio.Event()
        """While calls have places; when the limit would grow if the server told of room."""
        self._line: deque[tuple[Hashable, asyncio.Future[None]]] = deque()
        self._resting = self._outside = 0
        self._probe: Hashable | None = None
        self._mark = self.window.snapshot()
        self._call_s: float | None = None
        self._said = float("-inf")
        self.first_token = MODEL_FIRST_TOKEN.labels(endpoint)
        MODEL_LIMIT.labels(endpoint).set_function(lambda: self.window.limit)
        MODEL_WAITING.labels(endpoint).set_function(lambda: len(self._line) + self._resting + self._outside)
        MODEL_CIRCUIT_OPEN.labels(endpoint).set_function(lambda: self.breaker.open)

    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()

    def observe_load(self, load: Load | None) -> None:
        """Take what the server tells of its load; None when it tells nothing."""
        self._advance()
        self.window.observe_load(load, self.inside)
        self._admit()

    def try_acquire(self, call: Hashable) -> bool:
        """Give a place at once, if nobody is before."""
        free = not self._line and self._free
        if free:
            self._grant(call)
        return free

    def enqueue(self, call: Hashable, first: bool) -> asyncio.Future[None]:
        """Take into line, at its end or its beginning; done when the call has a place."""
        place = asyncio.get_running_loop().create_future()
        (self._line.appendleft if first else self._line.append)((call, place))
        self._admit()
        return place

    def release(self, call: Hashable) -> None:
        """Take the place back."""
        self._advance()
        self.inside -= 1
        self.breaker.record_end(call)
        if self._probe is call:
            self._probe = None
        if not self.inside:
            self.busy.clear()
        self._admit()

    def record_accepted(self, call: Hashable) -> None:
        """An answer begins."""
        if self.breaker.record_accepted(call, self._advance()):
            self._reopen()
        self._record()

    def record_success(self, call: Hashable, seconds: float) -> None:
        """An answer is whole, after so long."""
        self.breaker.record_end(call)
        if self.breaker.record_success(self._advance()):
            self._reopen()
        known = self._call_s
        self._call_s = seconds if known is None else known + (seconds - known) / 8

    def record_failure(self, call: Hashable, why: Exception, wasted_s: float, **how: Any) -> None:
        """A try failed, and wasted so much time of its place."""
        now = self._advance()
        self.breaker.record_end(call)
        if self.breaker.is_closed:
            self._mark = self.window.snapshot()
        self.breaker.record_failure(now, why, probe=self._probe is call, **how)
        if self.breaker.open:
            asyncio.get_running_loop().call_at(self.breaker.probe_at, self._admit)
        if wasted_s:
            self._record(wasted_s)

    @property
    def record_busy(self) -> bool:
        """Whether a call that rested has to go out."""
        return self.breaker.open or self.inside > self.window.limit

    def rest_s(self, refusals: int) -> float:
        """How long a refused call rests."""
        first = min(max((self._call_s or USUAL_S) / 4, SHORTEST_S), LONGEST_S)
        return backoff(first, refusals - 1, RESTS * first)

    @contextmanager
    def is_resting(self) -> Iterator[None]:
        """A refused call rests in its place."""
        self._advance()
        self._resting += 1
        try:
            yield
        finally:
            self._advance()
            self._resting -= 1

    @contextmanager
    def outside(self) -> Iterator[None]:
        """A refused call waits without a place."""
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    def status(self, what: str) -> None:
        """Tell a person, now and then."""
        if not self.breaker.open and self.now() - self._said >= SILENCE_S:
            self._said = self.now()
            log.warning("%s", what)

    @property
    def _free(self) -> bool:
        if self.breaker.open:
            return self._probe is None and self.now() >= self.breaker.probe_at
        return self.inside < self.window.limit

    def _grant(self, call: Hashable) -> None:
        self._advance()
        self.inside += 1
        if self.breaker.open:
            self._probe = call
        self.busy.set()

    def _admit(self) -> None:
        """Give free places to those in line here and now, so that no newcomer is before them."""
        while self._line and self._free:
            call, place = self._line.popleft()
            if not place.done():
                self._grant(call)
                place.set_result(None)

    def _record(self, wasted_s: float = 0.0) -> None:
        self.window.record(self.inside, wasted_s)
        if self.window.wants_reading:
            self.curious.set()
        self._admit()

    def _reopen(self) -> None:
        """Go on as it was before it all failed."""
        self._probe = None
        self.window.restore(self._mark)
        self._admit()

    def _advance(self) -> float:
        """Account for the time up to now."""
        now = self.now()
        self.window.advance(now, self.inside, self._resting)
        return now
