"""Which offset of a partition may be committed: the highest below which every record is finished."""


class OffsetTracker:
    """Progress in one partition. Records begin in the order of their offsets and finish in any order."""

    def __init__(self) -> None:
        self._begun: dict[int, bool] = {}
        self._waiting = 0
        self.committable: int | None = None
        """Next offset to read after a restart; `None` until the first record is finished contiguously."""

    @property
    def waiting(self) -> int:
        """Finished records that cannot be committed yet, because an earlier one still runs."""
        return self._waiting

    @property
    def idle(self) -> bool:
        """Whether everything begun is finished."""
        return not self._begun

    def begin(self, offset: int) -> None:
        self._begun[offset] = False

    def finish(self, offset: int) -> None:
        """Mark as finished; offsets that were never begun here (before a rebalance) are ignored."""
        if self._begun.get(offset) is not False:
            return
        self._begun[offset] = True
        self._waiting += 1
        while self._begun and self._begun[first := next(iter(self._begun))]:
            del self._begun[first]
            self._waiting -= 1
            self.committable = first + 1
