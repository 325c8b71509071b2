"""What became of an event in a service: attempts counted before the work, its outcome kept by the first writer.

begin ─► (work) ─► record ─► (publish) ─► done

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


@dataclass(frozen=True, slots=True)
class Begun:
    """State of an event at intake. `outcome` is `None` when nothing was recorded yet."""

    attempt: int
    outcome: bytes | None


class Outcomes:
    """Outcomes of one service in one factory."""

    def __init__(self, valkey: Redis, factory: str, service: str, marker_days: float) -> None:
        self._valkey = valkey
        self._prefix = f"{factory}:{service}"
        self._ttl = int(marker_days * 86_400)

    async def begin(self, event: UUID) -> Begun:
        """Count an attempt, before the work: an event that kills the process cannot come back for ever.

        Attempts are members of a set, so that one command that Valkey got twice, because it was slow, counts once.
        """
        attempt_id = uuid4().bytes

        async def command() -> Begun:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.get(self._outcome(event))
                pipe.sadd(self._attempts(event), attempt_id)
                pipe.scard(self._attempts(event))
                pipe.expire(self._attempts(event), self._ttl)
                outcome, _, attempt, _ = await pipe.execute()
            return Begun(attempt, outcome)

        return await patiently(command)

    async def hand_over(self, event: UUID) -> None:
        """Take an attempt back: the process stops, the event is not to blame. Tried once: the process must end."""
        try:
            await self._valkey.spop(self._attempts(event))
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
