"""Who works on what, for as long as it says so.

A lease is a key that names its holder and runs out by itself. A process beats for all that it holds; one that died or
hangs stops beating, and whoever waits for its work may take it on.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from shared.cache.auto_pipeline import AutoPipeline
from shared.cache.client import UNAVAILABLE, retry_while_away

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else works on this: we were silent for longer than a lease lasts."""


RENEWALS_PER_TTL = 3
"""Beats in the life of a lease."""

_RENEW = """
local lost = {}
for at = 1, #KEYS, 2 do
    local lease, outcome, holder = KEYS[at], KEYS[at + 1], ARGV[(at + 3) / 2]
    local held = redis.call('get', lease)
    local done = redis.call('exists', outcome) == 1 and redis.call('strlen', outcome) == 0
    if held == holder or not held and not done then
        redis.call('set', lease, holder, 'PX', ARGV[1])
    else
        lost[#lost + 1] = holder
    end
end
return lost
"""

_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"


@dataclass(frozen=True, slots=True)
class Lease:
    """One claim to a key; a second claim of the same process is another lease.

    `outcome` is the key under which the work leaves an empty string when it is done.
    """

    key: str
    outcome: str
    holder: bytes = field(default_factory=lambda: uuid4().bytes)


class Leases:
    """All leases of one process. They are taken where the work is looked up, in the same command (outcomes.py)."""

    def __init__(self, batch: AutoPipeline, lease_s: float) -> None:
        self.lease_ms = int(lease_s * 1000)
        self._held: dict[Lease, Callable[[], None]] = {}
        self._batch = batch

    def track(self, lease: Lease, lost: Callable[[], None]) -> None:
        """Beat for a lease from now on. `lost` is called when another one has it: we were silent for too long."""
        self._held[lease] = lost

    def untrack(self, lease: Lease) -> None:
        """Beat for it no longer."""
        self._held.pop(lease, None)

    async def drop(self, lease: Lease) -> None:
        """Give a lease back. Tried once: it runs out anyway."""
        self.untrack(lease)
        try:
            await self._batch.execute(lambda pipe: pipe.eval(_DROP, 1, lease.key, lease.holder))
        except UNAVAILABLE as error:
            log.warning("a lease runs out by itself: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """Keep what is held, until the end of the block."""
        beating = asyncio.create_task(self._renew_forever())
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self.lease_ms / 1000 / RENEWALS_PER_TTL)
            if held := {lease.holder: lease for lease in self._held}:
                keys = [key for lease in held.values() for key in (lease.key, lease.outcome)]
                for holder in await retry_while_away(partial(self._renew, keys, [*held])):
                    if lost := self._held.pop(held[holder], None):
                        lost()

    async def _renew(self, keys: list[str], holders: list[bytes]) -> list[bytes]:
        """Renew; returns those of the holders that are none any more."""
        (lost,) = await self._batch.execute(lambda pipe: pipe.eval(_RENEW, len(keys), *keys, self.lease_ms, *holders))
        return list(lost)
