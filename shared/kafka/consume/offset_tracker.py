"""Tracks the committable offset of a partition: the highest below which every record is finished."""


class OffsetTracker:
    """Progress in one partition. Records start in the order of their offsets and finish in any order."""

    def __init__(self) -> None:
        self._started: dict[int, bool] = {}
        self._uncommitted = 0
        self.committable: int | None = None
        """Next offset to read after a restart; `None` until the first record is finished contiguously."""

    @property
    def uncommitted(self) -> int:
        """Number of finished records that cannot be committed yet, because an earlier one is still running."""
        return self._uncommitted

    @property
    def idle(self) -> bool:
        """Whether every started record is finished."""
        return not self._started

    def start(self, offset: int) -> None:
        self._started[offset] = False

    def finish(self, offset: int) -> None:
        """Mark as finished. Ignores offsets that were not started here (from before a rebalance)."""
        if self._started.get(offset) is not False:
            return
        self._started[offset] = True
        self._uncommitted += 1
        while self._started and self._started[first := next(iter(self._started))]:
            del self._started[first]
            self._uncommitted -= 1
            self.committable = first + 1
