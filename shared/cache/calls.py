"""The results of one event's model calls: `shared.journal.Journal` in Valkey."""

from collections.abc import Mapping

from redis.asyncio import Redis

from shared.cache.client import patiently
from shared.cache.leases import Lease, Lost


class Calls:
    """A hash from call to result. It goes when the event is done."""

    def __init__(self, valkey: Redis, key: str, ttl_s: int, lease: Lease, known: Mapping[str, bytes]) -> None:
        """`known` is what the hash held when the event was claimed: nobody else writes to it since."""
        self._valkey = valkey
        self._key = key
        self._ttl_s = ttl_s
        self._lease = lease
        self._known = dict(known)

    def recall(self, call: str) -> bytes | None:
        return self._known.get(call)

    async def keep(self, call: str, result: bytes) -> bytes:
        """Raises Lost when somebody else works on the event: then no further call is made here."""

        async def command() -> tuple[bytes, bool]:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.hsetnx(self._key, call, result)
                pipe.expire(self._key, self._ttl_s)
                pipe.get(self._lease.key)
                first, _, holder = await pipe.execute()
            earlier = None if first else await self._valkey.hget(self._key, call)
            return earlier if isinstance(earlier, bytes) else result, holder == self._lease.holder

        self._known[call], ours = await patiently(command)
        if not ours:
            raise Lost
        return self._known[call]
