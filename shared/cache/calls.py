"""The results of one event's model calls: `shared.journal.Journal` in Valkey."""

from collections.abc import Mapping

from redis.asyncio import Redis

from shared.cache.client import patiently


class Calls:
    """A hash from call to result. It goes when the event is done."""

    def __init__(self, valkey: Redis, key: str, ttl_s: int, known: Mapping[str, bytes]) -> None:
        """`known` is what the hash held when the event was claimed: nobody else writes to it since."""
        self._valkey = valkey
        self._key = key
        self._ttl_s = ttl_s
        self._known = dict(known)

    def recall(self, call: str) -> bytes | None:
        return self._known.get(call)

    async def keep(self, call: str, result: bytes) -> bytes:
        async def command() -> bytes:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.hsetnx(self._key, call, result)
                pipe.expire(self._key, self._ttl_s)
                first, _ = await pipe.execute()
            earlier = None if first else await self._valkey.hget(self._key, call)
            return earlier if isinstance(earlier, bytes) else result

        self._known[call] = await patiently(command)
        return self._known[call]
