"""A member of a group whose fetches cost less while no records come."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

IDLE_AFTER_S = 2.0
"""Time without records after which a member is idle."""
FETCH_WAIT_MS, IDLE_FETCH_WAIT_MS = 100, 1_000
"""How long the broker holds a fetch that finds no records."""


class GroupConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Has one fetch in flight for each broker, which the broker holds longer while the member is idle.

    The broker responds when a record arrives in any partition of the fetch, and the fetch of an idle member has all of
    them, so that no record waits. While records come, a partition that was just emptied waits for the fetch of the
    others.
    """

    _last_busy: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no records have come for some time."""
        return self._last_busy is not None and asyncio.get_running_loop().time() >= self._last_busy + IDLE_AFTER_S

    async def getmany(self, *partitions: TopicPartition, **limits: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Get records. A poll of some partitions, or beside paused ones, does not say that the member is idle."""
        records: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(*partitions, **limits)
        if records or partitions or self._last_busy is None or self.paused():
            self._last_busy = asyncio.get_running_loop().time()
        self._fetcher._fetch_max_wait_ms = IDLE_FETCH_WAIT_MS if self.is_idle else FETCH_WAIT_MS
        return records
