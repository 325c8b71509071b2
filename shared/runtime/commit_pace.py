"""The pace of commits of a sink: immediate after a quiet time, bounded under steady load (a token bucket)."""

BURST = 8
"""Commits that may follow each other without waiting. Then each waits for its share of the time."""


class CommitPace:
    """Allows BURST commits, and one more in each period. Times are in seconds of a monotonic clock."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._spent_until = 0.0
        """When all tokens are back: a commit takes one, which returns after a period."""

    def delay_s(self, now: float) -> float:
        """Return how long to gather records before the next commit."""
        return max(0.0, self._spent_until - now - (BURST - 1) * self._period_s)

    def record(self, now: float) -> None:
        """Count a commit."""
        self._spent_until = max(self._spent_until, now) + self._period_s
