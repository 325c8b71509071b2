"""Who works on what, for as long as it says so.

A lease is a key that names its holder and runs out by itself. A process beats for all that it holds; one that died or
hangs stops beating, and whoever waits for its work may take it on.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from redis.asyncio import Redis

from shared.cache.client import AWAY, patiently

log = logging.getLogger(__name__)

BEATS = 3
"""Beats in the life of a lease."""

_BEAT = """
for _, key in ipairs(KEYS) do
    local holder = redis.call('get', key)
    if not holder or holder == ARGV[1] then redis.call('set', key, ARGV[1], 'PX', ARGV[2]) end
end
"""

_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"


class Leases:
    """All leases of one process. They are taken where the work is looked up, in the same command (outcomes.py)."""

    def __init__(self, valkey: Redis, lease_s: float) -> None:
        self.holder = uuid4().bytes
        self.lease_ms = int(lease_s * 1000)
        self._held: set[str] = set()
        self._beat = valkey.register_script(_BEAT)
        self._drop = valkey.register_script(_DROP)

    def hold(self, key: str) -> None:
        """Beat for a lease from now on."""
        self._held.add(key)

    def let_go(self, key: str) -> None:
        """Beat for it no longer."""
        self._held.discard(key)

    async def drop(self, key: str) -> None:
        """Give a lease back. Tried once: it runs out anyway."""
        self.let_go(key)
        try:
            await self._drop([key], [self.holder])
        except AWAY as error:
            log.warning("a lease runs out by itself: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep what is held, until the end of the block."""
        beating = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.lease_ms / 1000 / BEATS)
            if held := list(self._held):
                await patiently(partial(self._beat, held, [self.holder, self.lease_ms]))
