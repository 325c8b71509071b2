"""The circuit breaker of one model at one endpoint: while all its calls fail it gets one at a time, until one works.

It opens after several failures in a row when no call in flight can still succeed: a server whose slots are taken by
long calls refuses many others, and works.
"""

import logging
from collections.abc import Hashable

from shared.backoff import backoff
from shared.errors import Transient
from shared.llm.errors import Busy

log = logging.getLogger(__name__)

FAILURES_TO_OPEN = 5
"""Failures in a row."""
MIN_REFUSALS_S = 1.0
"""How long refusals must last: a server that is only busy accepts some call within this time."""
FIRST_PROBE_S, MAX_PROBE_S = 1.0, 30.0
"""Time to the first probe; doubles up to the second with each that fails. Retry-After may be longer."""
LOG_EVERY_S = 60.0
"""Shortest time between two log lines while it is open."""


class CircuitBreaker:
    """Closed, or open with the time of the next probe. `call` is any name; times are seconds of one clock."""

    def __init__(self, alias: str, model: str) -> None:
        self.open = False
        self.probe_at = 0.0
        self._name = f"{model} at endpoint {alias}"
        self._in_flight: set[Hashable] = set()
        self._may_succeed: set[Hashable] = set()
        """Requests in flight that started before the current failures, or whose answer has begun since."""
        self._failures = self._truncated = self._probes = 0
        """Failures in a row; those of them after the answer had begun; probes so far."""
        self._first_failure_at = self._opened_at = self._logged_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether nothing has failed since the last answer."""
        return not self._failures

    def record_start(self, call: Hashable) -> None:
        """A request starts."""
        self._in_flight.add(call)

    def record_end(self, call: Hashable) -> None:
        """A request ends, with any outcome."""
        self._in_flight.discard(call)
        self._may_succeed.discard(call)

    def record_accepted(self, call: Hashable, now: float) -> bool:
        """An answer begins. Returns whether this closes the circuit: not while answers are truncated."""
        self._may_succeed.add(call)
        return self.open and not self._truncated and self._close(now)

    def record_success(self, call: Hashable, now: float) -> bool:
        """An answer is complete. Returns whether this closes the circuit."""
        self.record_end(call)
        self._failures = self._truncated = self._probes = 0
        return self.open and self._close(now)

    def record_failure(
        self, call: Hashable, now: float, error: Busy | Transient, truncated: bool = False, probe: bool = False
    ) -> None:
        """A request has failed; `truncated`: after its answer had begun. The failure of a probe sets the next one.

        While the circuit is open, failures of other requests change nothing.
        """
        self.record_end(call)
        if not self._failures:
            self._may_succeed, self._first_failure_at = set(self._in_flight), now
        self._failures += 1
        self._truncated += truncated
        retry_after_s = (isinstance(error, Busy) and error.retry_after_s) or 0.0
        refused_s = max(now - self._first_failure_at, retry_after_s)
        may_be_busy = isinstance(error, Busy) and refused_s < MIN_REFUSALS_S
        if probe or (not self.open and self._all_fail and not may_be_busy):
            wait_s = max(backoff(FIRST_PROBE_S, self._probes, MAX_PROBE_S), retry_after_s)
            self._probes += 1
            self.probe_at = now + wait_s
            self._log(now, f"{error}; calls wait, none is lost; the next probe is in {wait_s:.0f} s")
            self.open = True

    @property
    def _all_fail(self) -> bool:
        """Where every answer is truncated, some have always begun: then the number of failures decides."""
        return self._failures >= FAILURES_TO_OPEN and (
            not self._may_succeed or self._truncated > len(self._in_flight) + FAILURES_TO_OPEN
        )

    def _close(self, now: float) -> bool:
        self.open, self._failures = False, 0
        log.warning("%s takes calls again, after %.0f s", self._name, now - self._opened_at)
        return True

    def _log(self, now: float, message: str) -> None:
        if not self.open:
            self._opened_at = self._logged_at = now
            log.warning("%s takes no calls: %s. To find the cause: chimera check models", self._name, message)
        elif now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            log.warning("%s takes no calls for %.0f s: %s", self._name, now - self._opened_at, message)
