"""The results of one event's model calls: `shared.call_journal.Journal` in Valkey."""

import logging
from collections.abc import Mapping

from redis.asyncio.client import Pipeline

from shared.cache.auto_pipeline import AutoPipeline
from shared.cache.client import UNAVAILABLE, retry_while_unavailable
from shared.cache.leases import Lease, LeaseLost, Leases

log = logging.getLogger(__name__)


class CallResults:
    """A hash from call to result. It is deleted when the event is done."""

    def __init__(
        self, batch: AutoPipeline, key: str, ttl_s: int, lease: Lease, leases: Leases, stored: Mapping[str, bytes]
    ) -> None:
        """`stored` is the hash when the event was claimed. Only the owner of the lease writes to it."""
        self._batch = batch
        self._key = key
        self._ttl_s = ttl_s
        self._lease = lease
        self._leases = leases
        self._results = dict(stored)
        self._new: dict[str, bytes] = {}

    async def get(self, call: str) -> bytes | None:
        """Raises LeaseLost when another process owns the event: then no further call is made here."""
        if self._new:
            await retry_while_unavailable(self._write)
        return self._results.get(call)

    async def check(self) -> None:
        """Raises LeaseLost like `get`. Asks only when the lease may have expired."""
        if self._leases.may_be_lost(self._lease):
            await retry_while_unavailable(self._write)

    def put(self, call: str, result: bytes) -> None:
        self._results[call] = self._new[call] = result

    async def save(self) -> None:
        try:
            if self._new:
                await self._write()
        except (LeaseLost, *UNAVAILABLE) as error:
            log.warning("cannot save the last call, it will be repeated: %s: %s", type(error).__name__, error)

    async def _write(self) -> None:
        new = dict(self._new)

        def write(pipe: Pipeline) -> None:
            pipe.get(self._lease.key)
            for call, result in new.items():
                pipe.hsetnx(self._key, call, result)
            pipe.expire(self._key, self._ttl_s)

        holder, *_ = await self._batch.execute(write)
        self._new = {call: result for call, result in self._new.items() if call not in new}
        if holder != self._lease.holder:
            raise LeaseLost
