"""A register of first comers, shared by every replica of a service."""

from uuid import UUID

from redis.asyncio import Redis

from shared.access import ValkeyAccess
from shared.cache.batch import Batch
from shared.cache.client import connect, patiently


class ValkeyRegister:
    """`shared.ports.Register` in Valkey. Entries are kept: they are small, and the log can rebuild them."""

    def __init__(self, access: ValkeyAccess, factory: str, name: str) -> None:
        self._valkey: Redis = connect(access)
        self._batch = Batch(self._valkey)
        self._prefix = f"{factory}:register:{name}"

    async def claim(self, key: str, owner: UUID) -> UUID:
        """Return the first owner that ever claimed the key."""
        name = f"{self._prefix}:{key}"
        (earlier,) = await patiently(
            lambda: self._batch.ask(lambda pipe: pipe.set(name, owner.bytes, nx=True, get=True))
        )
        return UUID(bytes=earlier) if isinstance(earlier, bytes) else owner

    async def close(self) -> None:
        await self._valkey.aclose()
