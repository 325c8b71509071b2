"""Where a Faust app stands in its partitions, kept by us.

Faust commits what was acknowledged last, also past records that it fetched and dropped around a rebalance, and it
counts a hole in what it read as read (`Consumer._add_gap`, `_new_offset` in faust-streaming 0.15.3). A partition here
moves only record by record: the next record is the one at its place, an earlier one was handled before, and a later one
shows that records were dropped, so they are read again. Only the place is ever committed.
"""

import logging
from typing import Any

from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP

log = logging.getLogger(__name__)


class OffsetKeepingConsumer(Consumer):
    """Faust's consumer with our own book-keeping."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._place: dict[TP, int] = {}

    def expects(self, partition: TP) -> int | None:
        """Offset of the next record of a partition; `None` before Faust has gone to the committed offset."""
        return self._place.get(partition)

    def finished(self, partition: TP, offset: int) -> None:
        """Move on: the record at this offset is finished for good."""
        self._place[partition] = max(self._place[partition], offset + 1)

    async def go_back(self, partition: TP) -> None:
        """Read a partition again from its place."""
        log.warning("records were dropped on the way; %s is read again from %d", partition, self._place[partition])
        await self.seek(partition, self._place[partition])

    async def dropped(self, topic: str) -> list[TP]:
        """Return partitions of which more was read than finished. Call while nothing is under way."""
        return [
            partition
            for partition in self.assignment()
            if partition.topic == topic
            and partition in self._place
            and (await self.position(partition) or 0) > self._place[partition]
        ]

    async def seek_to_committed(self) -> Any:
        """Begin at the committed offsets; called by Faust whenever partitions were assigned."""
        committed = await super().seek_to_committed()
        self._place.update({TP(*partition): offset or 0 for partition, offset in committed.items()})
        return committed

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._place.get(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Count no hole as read."""


class OffsetKeepingTransport(Transport):
    Consumer = OffsetKeepingConsumer
