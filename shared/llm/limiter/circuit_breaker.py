"""The circuit breaker: an endpoint where calls only fail gets one call at a time, until one is taken.

It opens when several calls in a row have failed and none is left that may yet tell the contrary: a server whose places
are all taken by long calls refuses many others, and is well.
"""

import logging
from collections.abc import Hashable

from shared.backoff import backoff
from shared.llm.errors import Busy

log = logging.getLogger(__name__)

FAILURES_TO_OPEN = 5
"""Failures without an answer between them."""
SURE_S = 1.0
"""How long refusals go on, besides: a server that others keep full lets somebody in before."""
FIRST_S, LONGEST_S = 1.0, 30.0
"""Until the first probe; doubled up to the second with each that fails. Retry-After may be longer."""
SILENCE_S = 60.0
"""Least time between two lines of the log while it is open."""


class CircuitBreaker:
    """Closed, or open with the time of the next probe. Tries go by any name; times are seconds of one clock."""

    def __init__(self, alias: str) -> None:
        self.open = False
        self.probe_at = 0.0
        self._alias = alias
        self._under_way: set[Hashable] = set()
        self._hopes: set[Hashable] = set()
        """Those under way that began before the present run of failures, or were taken since."""
        self._failures = self._lost = self._probes = 0
        """Failures in the run; of them, answers cut off after they had begun; probes so far."""
        self._first_at = self._since = self._said = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether nothing has failed since the last answer."""
        return not self._failures

    def record_start(self, call: Hashable) -> None:
        """A try goes out."""
        self._under_way.add(call)

    def record_end(self, call: Hashable) -> None:
        """A try is over, however it ended."""
        self._under_way.discard(call)
        self._hopes.discard(call)

    def record_accepted(self, call: Hashable, now: float) -> bool:
        """An answer begins; tells whether this closes the circuit. Where answers are cut off, that proves nothing."""
        self._hopes.add(call)
        return self.open and not self._lost and self._close(now)

    def record_success(self, now: float) -> bool:
        """An answer is whole; tells whether this closes the circuit."""
        self._failures = self._lost = self._probes = 0
        return self.open and self._close(now)

    def record_failure(
        self, now: float, why: Exception, retry_after_s: float | None = None, lost: bool = False, probe: bool = False
    ) -> None:
        """A try that is over has failed; `lost`: after its answer had begun. After a probe, a new one is set.

        Where it is open already, what was still under way tells nothing new.
        """
        if not self._failures:
            self._hopes, self._first_at = set(self._under_way), now
        self._failures += 1
        self._lost += lost
        patient = isinstance(why, Busy) and max(now - self._first_at, retry_after_s or 0.0) < SURE_S
        if probe or (not self.open and self._hopeless and not patient):
            wait = max(backoff(FIRST_S, self._probes, LONGEST_S), retry_after_s or 0.0)
            self._probes += 1
            self.probe_at = now + wait
            self._log(now, f"{why}; calls wait, none is lost; the next probe goes out in {wait:.0f} s")
            self.open = True

    @property
    def _hopeless(self) -> bool:
        """Where every answer is cut off there are always some that have begun: then the number decides."""
        return self._failures >= FAILURES_TO_OPEN and (
            not self._hopes or self._lost > len(self._under_way) + FAILURES_TO_OPEN
        )

    def _close(self, now: float) -> bool:
        self.open, self._failures = False, 0
        log.warning("endpoint %s takes calls again, after %.0f s", self._alias, now - self._since)
        return True

    def _log(self, now: float, what: str) -> None:
        if not self.open:
            self._since = self._said = now
            log.warning("endpoint %s takes no calls: %s. If it stays so: chimera check models", self._alias, what)
        elif now - self._said >= SILENCE_S:
            self._said = now
            log.warning("endpoint %s takes no calls for %.0f s: %s", self._alias, now - self._since, what)
