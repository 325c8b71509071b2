"""What became of an event in a service: attempts counted before the work, its outcome kept by the first writer.

look ─► begin ─► (work) ─► record ─► (publish) ─► done

A repeated event gets the recorded outcome published again, or, once it is done, nothing at all.
"""

import logging
from dataclasses import dataclass
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.cache.client import AWAY, patiently

log = logging.getLogger(__name__)

DONE = b""
"""What is left of an outcome once it is published: a done marker."""


_SURVIVED = b"survived:"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an event at intake. `outcome` is `None` when nothing was recorded yet."""

    outcome: bytes | None
    tried: int
    """Attempts of all processes so far."""
    deaths: int
    """Of these, the ones whose end no process has told: it died of them or beside them."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; `number` counts from 1."""

    id: bytes
    number: int


class Outcomes:
    """Outcomes of one service in one factory."""

    def __init__(self, valkey: Redis, factory: str, service: str, marker_days: float) -> None:
        self._valkey = valkey
        self._prefix = f"{factory}:{service}"
        self._ttl = int(marker_days * 86_400)

    async def look(self, event: UUID) -> Known:
        """Look an event up. Counts nothing."""

        async def command() -> Known:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.get(self._outcome(event))
                pipe.smembers(self._attempts(event))
                outcome, attempts = await pipe.execute()
            return Known(outcome, len(attempts), sum(not attempt.startswith(_SURVIVED) for attempt in attempts))

        return await patiently(command)

    async def begin(self, event: UUID) -> Attempt:
        """Count an attempt, before the work: an event that kills the process cannot come back for ever.

        Attempts are members of a set, so that one command that Valkey got twice, because it was slow, counts once.
        """
        attempt = uuid4().bytes

        async def command() -> Attempt:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.sadd(self._attempts(event), attempt)
                pipe.scard(self._attempts(event))
                pipe.expire(self._attempts(event), self._ttl)
                _, number, _ = await pipe.execute()
            return Attempt(attempt, number)

        return await patiently(command)

    async def survived(self, event: UUID, attempt: Attempt) -> None:
        """Note that an attempt failed and the process lives: it stays counted, and is no death."""

        async def command() -> None:
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.srem(self._attempts(event), attempt.id)
                pipe.sadd(self._attempts(event), _SURVIVED + attempt.id)
                await pipe.execute()

        await patiently(command)

    async def hand_over(self, event: UUID, attempt: Attempt) -> None:
        """Take an attempt back: the process stops, the event is not to blame. Tried once: the process must end."""
        try:
            await self._valkey.srem(self._attempts(event), attempt.id)
        except AWAY as error:
            log.warning("the attempt stays counted: %s: %s", type(error).__name__, error)

    async def record(self, event: UUID, outcome: bytes) -> bytes:
        """Keep an outcome if it is the first. Returns the one that is kept: that one is published."""
        earlier = await patiently(
            lambda: self._valkey.set(self._outcome(event), outcome, nx=True, get=True, ex=self._ttl)
        )
        return earlier if isinstance(earlier, bytes) else outcome

    async def done(self, event: UUID) -> None:
        """Shrink the outcome to a marker: everything it produced is acknowledged."""

        async def command() -> None:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.set(self._outcome(event), DONE, ex=self._ttl)
                pipe.delete(self._attempts(event))
                await pipe.execute()

        await patiently(command)

    async def forgive(self, event: UUID) -> None:
        """Forget the attempts of an event that was put aside, so that a replay starts afresh."""
        await patiently(lambda: self._valkey.delete(self._attempts(event)))

    def _outcome(self, event: UUID) -> str:
        return f"{self._prefix}:outcome:{event}"

    def _attempts(self, event: UUID) -> str:
        return f"{self._prefix}:attempts:{event}"
