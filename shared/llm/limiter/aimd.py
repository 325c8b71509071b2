"""Finds how many concurrent calls an endpoint takes: additive increase, multiplicative decrease.

It measures the *fraction of slot-seconds without a result*: calls that were refused and back off, requests that ended
in a refusal or a time-out. A server with 16 slots under a limit of 64 shows 48/64: one cut by that fraction gives 16.
One random refusal in ten shows a few per cent and cuts nothing, however often the refused calls are repeated.

An epoch is `limit` calls, each counted when it is wasted or at its first token, so that slow calls do not delay
adaptation. Slow start doubles the limit. Afterwards an epoch without waste increases it by a step that doubles each
time, up to a quarter of the limit, so that an overshoot stays below a cut. The load that a server reports
(vllm_load.py) takes precedence: growth waits for a reading with room, and a long queue cuts the limit by its share.
"""

from dataclasses import dataclass

INITIAL_LIMIT = 16
"""A server that takes fewer calls refuses some immediately."""
GROW_UP_TO, CUT_ABOVE, CUT_SMALL_SAMPLE_ABOVE = 0.05, 0.2, 0.5
"""Fractions of waste: grow up to the first, cut above the second, and above the third however few calls there are."""
MIN_CALLS_TO_CUT = 32
"""Calls before a cut, after slow start, so that random failures do not cut."""
MAX_CACHE_USAGE = 0.95
"""Usage of the KV cache above which the server would preempt further calls."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load that a server reports. `cache` is the usage of its KV cache, 0 to 1."""

    running: float
    waiting: float
    cache: float = 0.0

    @property
    def excess(self) -> float:
        """Share of its calls that wait too long. A short queue is good: it keeps every slot busy."""
        allowed = 4 + self.running // 16
        return max(self.waiting - allowed, 0.0) / max(self.running + self.waiting, 1.0)

    @property
    def has_room(self) -> bool:
        return self.waiting < 1 and self.cache <= MAX_CACHE_USAGE


class AimdLimit:
    """The limit. Times are seconds of one clock; `in_flight` is the number of calls with a slot."""

    def __init__(self, max_limit: int) -> None:
        self.limit = min(INITIAL_LIMIT, max_limit)
        self._max_limit = max_limit
        self._slow_start = True
        self._step = 1
        self._has_room = True
        """From the last reading; True when the server reports no load."""
        self._reports_load = self._is_stale = False
        """Whether there was a reading; whether the limit has changed since."""
        self._now = 0.0
        self._reset_epoch()

    def _reset_epoch(self) -> None:
        self._epoch_start = self._now
        self._calls = 0
        self._slot_s = self._wasted_s = 0.0
        self._peak = 0

    def advance(self, now: float, in_flight: int, backing_off: int) -> None:
        """Add the time up to now, during which `backing_off` of the calls in flight waited after a refusal."""
        elapsed, self._now = now - self._now, now
        self._slot_s += elapsed * in_flight
        self._wasted_s += elapsed * backing_off
        if in_flight > self._peak:
            self._peak = in_flight

    def record(self, in_flight: int, wasted_s: float = 0.0) -> None:
        """Count a call at its first token, or a request that wasted its time."""
        self._calls += 1
        self._wasted_s += min(wasted_s, self._now - self._epoch_start)
        self._end_epoch(in_flight)

    def observe_load(self, load: Load | None, in_flight: int) -> None:
        """Use a reading; `None`: the server reports no load."""
        self._reports_load, self._is_stale = load is not None, False
        self._has_room = load is None or load.has_room
        if load and load.excess and in_flight <= self.limit:
            self._cut(load.excess)
        self._end_epoch(in_flight)

    @property
    def wants_reading(self) -> bool:
        """Whether growth only waits for a reading."""
        return self._is_stale and self._calls >= self.limit

    def snapshot(self) -> tuple[int, bool]:
        """The state for `restore`."""
        return self.limit, self._slow_start

    def restore(self, snapshot: tuple[int, bool]) -> None:
        """Return to an earlier limit."""
        self.limit, self._slow_start = snapshot
        self._start_epoch(1)

    def _end_epoch(self, in_flight: int) -> None:
        """Decide once the epoch has enough calls, and the last change of the limit has taken effect."""
        if self._calls < self.limit or in_flight > self.limit:
            return
        waste = min(self._wasted_s / self._slot_s, 1.0) if self._slot_s else 0.0
        if waste <= (CUT_ABOVE if self._slow_start else GROW_UP_TO):
            self._grow()
        elif self._slow_start or waste > CUT_SMALL_SAMPLE_ABOVE or self._calls >= MIN_CALLS_TO_CUT:
            if waste > CUT_ABOVE:
                self._cut(waste)
            else:
                self._start_epoch(1)

    def _grow(self) -> None:
        """Grow if all slots were used and, when the server reports its load, a reading shows room."""
        if self._peak < self.limit:
            self._reset_epoch()
        elif self._has_room and not self._is_stale:
            step = self.limit if self._slow_start else min(self._step, max(self.limit // 4, 1))
            self.limit = min(self.limit + step, self._max_limit)
            self._start_epoch(2 * self._step)

    def _cut(self, fraction: float) -> None:
        """Cut the number of used slots, on which the fraction is based; at most by three quarters."""
        used = min(self.limit, self._peak or self.limit)
        self.limit = max(round(used * max(1 - fraction, 0.25)), 1)
        self._slow_start = False
        self._start_epoch(1)

    def _start_epoch(self, step: int) -> None:
        """Start an epoch after a change of the limit."""
        self._step, self._is_stale = step, self._reports_load
        self._reset_epoch()
