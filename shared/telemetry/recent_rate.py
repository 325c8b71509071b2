"""How often something happened lately."""

from collections import deque
from collections.abc import Callable
from time import monotonic

WINDOW_S = 10


class RecentRate:
    """Counts in the last WINDOW_S whole seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: deque[tuple[int, int]] = deque(maxlen=WINDOW_S + 1)
        """(second, count), also of the current second."""

    def count(self) -> None:
        """Count one."""
        second = int(self._clock())
        before = self._counts.pop()[1] if self._counts and self._counts[-1][0] == second else 0
        self._counts.append((second, before + 1))

    def per_second(self) -> float:
        """Return the rate over the last WINDOW_S whole seconds."""
        now = int(self._clock())
        return sum(count for second, count in self._counts if now - WINDOW_S <= second < now) / WINDOW_S
