"""What became of an event in a service: one process works on it, and the first outcome is the one that is kept.

claim ─► begin ─► (work, call by call) ─► record ─► (publish) ─► done

A repeated event gets the recorded outcome published again, or, once it is done, nothing at all. An event on which
another process still works is waited for: its result is collected, not paid for again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.cache.auto_pipeline import AutoPipeline, QueueCommands
from shared.cache.call_results import CallResults
from shared.cache.client import UNAVAILABLE, retry_while_away
from shared.cache.leases import Lease, LeaseLost, Leases

log = logging.getLogger(__name__)

DONE = b""
"""What is left of an outcome once it is published: a done marker."""


_FAILED = b"survived:"

_CLAIM = """
local outcome = redis.call('get', KEYS[1])
if outcome == '' then return {outcome, false, {}, {}} end
local holder = redis.call('set', KEYS[2], ARGV[1], 'NX', 'GET', 'PX', ARGV[2])
return {outcome, holder, redis.call('smembers', KEYS[3]), redis.call('hgetall', KEYS[4])}
"""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What is known of an event at intake. `outcome` is `None` when nothing was recorded yet."""

    outcome: bytes | None
    lease: Lease | None
    """Makes it ours to work on. Without one, and when it is not done, somebody else works on it."""
    attempts: int
    """Attempts of all processes so far."""
    crashes: int
    """Of these, the ones whose end no process has told: it died of them or beside them."""
    calls: Mapping[str, bytes]
    """Results of the model calls that were made for it."""

    @property
    def done(self) -> bool:
        return self.outcome == DONE


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; `number` counts from 1."""

    id: bytes
    number: int


class IdempotencyStore:
    """Outcomes of one service in one factory."""

    def __init__(self, valkey: Redis, factory: str, service: str, marker_days: float, lease_s: float) -> None:
        self._batch = AutoPipeline(valkey)
        self._prefix = f"{factory}:{service}"
        self._ttl = int(marker_days * 86_400)
        self._leases = Leases(self._batch, lease_s)

    def renewing_leases(self) -> AbstractAsyncContextManager[None]:
        """Tell the other processes, until the end of the block, that this one lives and works on what it claimed."""
        return self._leases.renewing()

    async def claim(self, event: UUID) -> ClaimResult:
        """Look an event up, and take it on unless it is done or another process works on it. Counts no attempt."""
        lease = Lease(self._lease(event), self._outcome(event))
        keys = (lease.outcome, lease.key, self._attempts(event), self._calls(event))
        told = await self._execute(
            lambda pipe: pipe.eval(_CLAIM, len(keys), *keys, lease.holder, self._leases.lease_ms)
        )
        outcome, holder, attempts, calls = told[0]
        return ClaimResult(
            outcome=outcome,
            lease=lease if outcome != DONE and holder in (None, lease.holder) else None,
            attempts=len(attempts),
            crashes=sum(not attempt.startswith(_FAILED) for attempt in attempts),
            calls={name.decode(): result for name, result in zip(calls[::2], calls[1::2], strict=True)},
        )

    async def begin(self, event: UUID) -> Attempt:
        """Count an attempt, before the work: an event that kills the process cannot come back for ever.

        Attempts are members of a set, so that one command that Valkey got twice, because it was slow, counts once.
        """
        attempt, key = uuid4().bytes, self._attempts(event)
        _, number, _ = await self._execute(
            lambda pipe: (pipe.sadd(key, attempt), pipe.scard(key), pipe.expire(key, self._ttl))
        )
        return Attempt(attempt, number)

    async def mark_failed(self, event: UUID, attempt: Attempt) -> None:
        """Note that an attempt failed and the process lives: it stays counted, and is no death."""
        key = self._attempts(event)
        await self._execute(lambda pipe: (pipe.sadd(key, _FAILED + attempt.id), pipe.srem(key, attempt.id)))

    async def release(self, event: UUID, attempt: Attempt) -> None:
        """Take an attempt back: the process stops, the event is not to blame. Tried once: the process must end."""
        try:
            await self._batch.execute(lambda pipe: pipe.srem(self._attempts(event), attempt.id))
        except UNAVAILABLE as error:
            log.warning("the attempt stays counted: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def holding(self, event: UUID, lease: Lease, calls: Mapping[str, bytes]) -> AsyncIterator[CallResults]:
        """Keep a claimed event ours until the end of the block. Yields the record of its calls, from those known.

        Raises Lost when another process took the event on.
        """
        block, now = asyncio.timeout(None), asyncio.get_running_loop().time
        self._leases.track(lease, lambda: block.reschedule(now()))
        try:
            async with block:
                yield CallResults(self._batch, self._calls(event), self._ttl, lease, calls)
        except TimeoutError:
            raise (LeaseLost if block.expired() else TimeoutError) from None
        except BaseException:
            await self._leases.drop(lease)
            raise
        finally:
            self._leases.untrack(lease)

    async def record(self, event: UUID, outcome: bytes) -> bytes:
        """Keep an outcome if it is the first. Returns the one that is kept: that one is published."""
        key = self._outcome(event)
        (earlier,) = await self._execute(lambda pipe: pipe.set(key, outcome, nx=True, get=True, ex=self._ttl))
        return earlier if isinstance(earlier, bytes) else outcome

    async def done(self, event: UUID) -> None:
        """Shrink the outcome to a marker: everything it produced is acknowledged."""
        rest = (self._attempts(event), self._calls(event), self._lease(event))
        await self._execute(lambda pipe: (pipe.set(self._outcome(event), DONE, ex=self._ttl), pipe.delete(*rest)))

    async def reset(self, event: UUID) -> None:
        """Forget the attempts of an event that was put aside, so that a replay starts afresh. Paid calls are kept."""
        await self._execute(lambda pipe: pipe.delete(self._attempts(event), self._lease(event)))

    async def _execute(self, ask: QueueCommands) -> list[Any]:
        return await retry_while_away(lambda: self._batch.execute(ask))

    def _outcome(self, event: UUID) -> str:
        return f"{self._prefix}:outcome:{event}"

    def _attempts(self, event: UUID) -> str:
        return f"{self._prefix}:attempts:{event}"

    def _calls(self, event: UUID) -> str:
        return f"{self._prefix}:calls:{event}"

    def _lease(self, event: UUID) -> str:
        return f"{self._prefix}:lease:{event}"
