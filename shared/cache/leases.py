"""Renewable leases: which process owns which event.

A lease is a key that names its holder and expires. A process renews all of its leases. When it dies or hangs it renews
no more, and a process that waits for the event takes it over.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from uuid import uuid4

from shared.cache.auto_pipeline import AutoPipeline
from shared.cache.client import UNAVAILABLE, retry_while_unavailable
from shared.cache.lua import script

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another process owns the event: this one did not renew the lease in time."""


RENEWALS_PER_TTL = 3
"""Renewals during the lifetime of a lease."""

_RENEW, _DROP = script("lease_renew"), script("lease_drop")


@dataclass(frozen=True, slots=True)
class Lease:
    """One claim of a key. A second claim by the same process is another lease.

    `outcome` is the key that holds an empty string once the work is done.
    """

    key: str
    outcome: str
    holder: bytes = field(default_factory=lambda: uuid4().bytes)
    made_at: float = field(default_factory=monotonic)
    """Before it is taken, thus no later than its lifetime begins."""


@dataclass(slots=True)
class _Tracked:
    """A lease that is renewed."""

    on_lost: Callable[[], None]
    confirmed_at: float
    """Its present lifetime began no earlier."""


class Leases:
    """All leases of one process. `idempotency.py` takes them, in the same command that looks up the event."""

    def __init__(self, batch: AutoPipeline, lease_s: float) -> None:
        self.lease_ms = int(lease_s * 1000)
        self._tracked: dict[Lease, _Tracked] = {}
        self._batch = batch

    def track(self, lease: Lease, lost: Callable[[], None]) -> None:
        """Renew a lease from now on. Calls `lost` when another process has taken it over."""
        self._tracked[lease] = _Tracked(lost, lease.made_at)

    def untrack(self, lease: Lease) -> None:
        """Stop renewing a lease."""
        self._tracked.pop(lease, None)

    def may_be_lost(self, lease: Lease) -> bool:
        """Whether a lease may have expired by now. A process that was frozen knows it by this before any renewal."""
        tracked = self._tracked.get(lease)
        return tracked is None or monotonic() - tracked.confirmed_at >= self.lease_ms / 1000

    async def drop(self, lease: Lease) -> None:
        """Give a lease back. Tries once: the lease expires anyway."""
        self.untrack(lease)
        try:
            await self._batch.execute(lambda pipe: pipe.eval(_DROP, 1, lease.key, lease.holder))
        except UNAVAILABLE as error:
            log.warning("cannot give a lease back, it will expire: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """Renew all leases until the end of the block."""
        renewal = asyncio.create_task(self._renew_forever())
        try:
            yield
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self.lease_ms / 1000 / RENEWALS_PER_TTL)
            if leases := {lease.holder: lease for lease in self._tracked}:
                keys = [key for lease in leases.values() for key in (lease.key, lease.outcome)]
                started_at, lost = await retry_while_unavailable(partial(self._renew, keys, [*leases]))
                for holder, lease in leases.items():
                    if (tracked := self._tracked.get(lease)) is None:
                        continue
                    tracked.confirmed_at = started_at
                    if holder in lost:
                        self.untrack(lease)
                        tracked.on_lost()

    async def _renew(self, keys: list[str], holders: list[bytes]) -> tuple[float, set[bytes]]:
        """Renew leases, given as (key, outcome) pairs. Returns when this began, and the holders that lost theirs."""
        started_at = monotonic()
        (lost,) = await self._batch.execute(lambda pipe: pipe.eval(_RENEW, len(keys), *keys, self.lease_ms, *holders))
        return started_at, set(lost)
