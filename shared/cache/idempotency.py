"""Idempotency store: the recorded outcome of each event in a service.

claim and begin ─► (work, call by call) ─► record ─► (publish) ─► done

Claim and begin are one command. `done` travels with the next command, at the latest before offsets are committed.
One process works on an event, and the first recorded outcome counts. For a repeated event that outcome is published
again; once the event is done, nothing is. When another process works on the event, this one waits for its result, so
that no call is paid twice. A dead letter is an outcome too; a replay of it is handled again.
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
from shared.cache.client import UNAVAILABLE, retry_while_unavailable
from shared.cache.leases import Lease, LeaseLost, Leases
from shared.cache.lua import script

log = logging.getLogger(__name__)

DONE = b""
"""Replaces an outcome once it is published."""

_FAILED = b"survived:"
"""Prefix of an attempt that failed and did not crash its process."""

_CLAIM = script("idempotency_claim")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; `number` counts from 1."""

    id: bytes
    number: int


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The state of an event at intake. `outcome` is `None` when none is recorded yet."""

    outcome: bytes | None
    lease: Lease | None
    """This process owns the event. Without a lease, and when the event is not done, another process owns it."""
    attempts: int
    """Attempts of all processes so far."""
    crashes: int
    """Attempts without a recorded end: the process crashed during the attempt."""
    calls: Mapping[str, bytes]
    """Results of the model calls made for the event."""
    begun: Attempt | None = None
    """The attempt that the claim began, which is the first one."""

    @property
    def done(self) -> bool:
        return self.outcome == DONE


class IdempotencyStore:
    """Outcomes of one service in one factory."""

    def __init__(self, valkey: Redis, factory: str, service: str, marker_days: float, lease_s: float) -> None:
        self._batch = AutoPipeline(valkey)
        self._prefix = f"{factory}:{service}"
        self._ttl = int(marker_days * 86_400)
        self._leases = Leases(self._batch, lease_s)

    def renewing_leases(self) -> AbstractAsyncContextManager[None]:
        """Renew the leases of this process until the end of the block."""
        return self._leases.renewing()

    async def claim(self, event: UUID, replayed: str | None = None, *, begin: bool = False) -> ClaimResult:
        """Look up an event and own it, unless it is done or another process owns it.

        With `begin` the claim also begins the first attempt. It begins no later one: that may have to wait.
        `replayed` is the position of a replayed record: it is not done by the dead letter of an earlier record.
        """
        lease = Lease(self._lease(event), self._outcome(event))
        keys = (lease.outcome, lease.key, self._attempts(event), self._calls(event), self._letter(event))
        attempt = uuid4().bytes if begin else b""
        values = (lease.holder, self._leases.lease_ms, replayed or "", attempt, self._ttl)
        [reply] = await self._execute(lambda pipe: pipe.eval(_CLAIM, len(keys), *keys, *values))
        outcome, holder, attempts, calls, has_begun = reply
        return ClaimResult(
            outcome=outcome,
            lease=lease if outcome != DONE and holder in (None, lease.holder) else None,
            attempts=len(attempts),
            crashes=sum(not attempt.startswith(_FAILED) for attempt in attempts),
            calls={name.decode(): result for name, result in zip(calls[::2], calls[1::2], strict=True)},
            begun=Attempt(attempt, 1) if has_begun else None,
        )

    async def begin(self, event: UUID) -> Attempt:
        """Count an attempt before the work, so that an event that crashes the process is not retried for ever.

        Attempts are members of a set: a command that the client sends twice after a time-out counts once.
        """
        attempt, key = uuid4().bytes, self._attempts(event)
        _, number, _ = await self._execute(
            lambda pipe: (pipe.sadd(key, attempt), pipe.scard(key), pipe.expire(key, self._ttl))
        )
        return Attempt(attempt, number)

    async def mark_failed(self, event: UUID, attempt: Attempt) -> None:
        """Record that an attempt failed without a crash. It stays counted."""
        key = self._attempts(event)
        await self._execute(lambda pipe: (pipe.sadd(key, _FAILED + attempt.id), pipe.srem(key, attempt.id)))

    async def release(self, event: UUID, attempt: Attempt) -> None:
        """Take an attempt back because the process stops. Tries once: the process must end."""
        try:
            await self._batch.execute(lambda pipe: pipe.srem(self._attempts(event), attempt.id))
        except UNAVAILABLE as error:
            log.warning("cannot take an attempt back, it stays counted: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def hold_lease(self, event: UUID, lease: Lease, calls: Mapping[str, bytes]) -> AsyncIterator[CallResults]:
        """Renew the lease of a claimed event until the end of the block. Yields the results of its calls.

        Raises LeaseLost when another process has taken the event over.
        """
        block, now = asyncio.timeout(None), asyncio.get_running_loop().time
        self._leases.track(lease, lambda: block.reschedule(now()))
        try:
            async with block:
                yield CallResults(self._batch, self._calls(event), self._ttl, lease, self._leases, calls)
        except TimeoutError:
            raise (LeaseLost if block.expired() else TimeoutError) from None
        except BaseException:
            await self._leases.drop(lease)
            raise
        finally:
            self._leases.untrack(lease)

    async def record(self, event: UUID, outcome: bytes) -> bytes:
        """Store an outcome unless one is stored. Returns the stored one: that one is published."""
        key = self._outcome(event)
        (earlier,) = await self._execute(lambda pipe: pipe.set(key, outcome, nx=True, get=True, ex=self._ttl))
        return earlier if isinstance(earlier, bytes) else outcome

    def done(self, event: UUID, letter: str | None = None) -> None:
        """Replace the outcome by a marker, once all its messages are acknowledged. Sent later: see `flush`.

        `letter` is the position of the record, when the outcome is its dead letter. Paid calls then stay for a replay.
        """
        obsolete = [self._attempts(event), self._lease(event)]
        markers = {self._outcome(event): DONE}
        if letter is None:
            obsolete.append(self._calls(event))
        else:
            markers[self._letter(event)] = letter.encode()
        self._batch.defer(
            lambda pipe: (
                *(pipe.set(key, value, ex=self._ttl) for key, value in markers.items()),
                pipe.delete(*obsolete),
            )
        )

    async def flush(self) -> None:
        """Send the markers of done events that no other command has carried yet."""
        await retry_while_unavailable(self._batch.flush)

    async def _execute(self, queue: QueueCommands) -> list[Any]:
        return await retry_while_unavailable(lambda: self._batch.execute(queue))

    def _outcome(self, event: UUID) -> str:
        return f"{self._prefix}:outcome:{event}"

    def _attempts(self, event: UUID) -> str:
        return f"{self._prefix}:attempts:{event}"

    def _calls(self, event: UUID) -> str:
        return f"{self._prefix}:calls:{event}"

    def _letter(self, event: UUID) -> str:
        return f"{self._prefix}:letter:{event}"

    def _lease(self, event: UUID) -> str:
        return f"{self._prefix}:lease:{event}"
