"""An index of near duplicates in Valkey, one for all replicas: asked and added to in one command.

The bands of a problem's MinHash name those that may be like it; they are compared by their shingles, all of them. The
decision is kept, so that an event that comes again is told the same. A Valkey that was emptied has no `generation`:
`place` then waits until somebody has put in again what the log tells (`rebuild`).
"""

import asyncio
from collections.abc import AsyncIterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.cache.auto_pipeline import AutoPipeline, QueueCommands
from shared.cache.client import connect, retry_while_away
from shared.cache.near_duplicates_scripts import ADD, CANDIDATES, CLAIM, HOLD, OPEN, RESTORE, RESTORE_CANDIDATES
from shared.config.connections import ValkeyAccess
from shared.ports import Match, TextFingerprint
from shared.text.words import SIMILAR

BUCKET = 256
"""Most problems remembered for one band; the newest stay. Without a narrow limit on variants it may fill up."""
MAX_CANDIDATES = 32
"""Most problems with the same numbers and key that are remembered with their text; the oldest stay."""
LOOK_S = 0.2
"""How often who waits for the index looks, in seconds."""


class ValkeyNearDuplicateIndex:
    """`shared.ports.Twins` in Valkey. `features` is the version of the sketches; another one has an index of its own.

    `variants` is the most problems of one template beside the first.
    """

    def __init__(
        self, access: ValkeyAccess, factory: str, features: str, variants: int, decided_days: float, lease_s: float
    ) -> None:
        self._valkey: Redis = connect(access)
        self._batch = AutoPipeline(self._valkey)
        prefix = f"{factory}:twins:{features}"
        self._index, self._builder, self._decided = f"{prefix}:index", f"{prefix}:builder", f"{prefix}:decided"
        self._variants = variants
        self._decided_ms, self._lease_ms = int(decided_days * 86_400_000), int(lease_s * 1000)

    async def add(self, sketch: TextFingerprint, owner: UUID) -> Match:
        """As the protocol says. Waits while the index is not whole."""
        keys = (self._index, f"{self._decided}:{owner}")
        limits = (sketch.near, SIMILAR, self._variants, BUCKET, self._decided_ms)
        told: list[str | bytes | float] = [owner.bytes, _record(sketch, owner), *limits, *sketch.bands]
        while True:
            kind, *rest = await self._execute(lambda pipe: pipe.eval(ADD, len(keys), *keys, *told))
            if kind != b"lost":
                twin, score = rest
                return Match(kind.decode(), UUID(bytes=twin) if twin else None, float(score))
            await asyncio.sleep(LOOK_S)

    async def candidates(self, sketch: TextFingerprint, owner: UUID) -> list[tuple[UUID, str]]:
        """As the protocol says. Waits while the index is not whole."""
        told = _candidate(sketch, owner)
        while True:
            found = await self._execute(lambda pipe: pipe.eval(CANDIDATES, 1, self._index, *told))
            if found is not None:
                return [(UUID(bytes=one[:16]), one[16:].decode()) for one in found]
            await asyncio.sleep(LOOK_S)

    async def is_open(self) -> bool:
        """Whether the index is whole."""
        return bool(await self._execute(lambda pipe: pipe.hexists(self._index, "generation")))

    async def rebuild(self, known: AsyncIterable[Sequence[tuple[TextFingerprint, UUID]]]) -> int | None:
        """Fill the index with problems, in batches, and open it. Returns how many there were.

        None: it is whole, another process fills it, or Valkey was emptied meanwhile.
        """
        keys, token = (self._index, self._builder), uuid4().hex
        if not await self._execute(lambda pipe: pipe.eval(CLAIM, 2, *keys, token, self._lease_ms)):
            return None
        count = 0
        async for batch in known:
            if not await self._restore(batch, token):
                return None
            count += len(batch)
        return count if await self._execute(lambda pipe: pipe.eval(OPEN, 2, *keys, token)) else None

    async def _restore(self, batch: Sequence[tuple[TextFingerprint, UUID]], token: str) -> bool:
        first = (2, self._index, self._builder, token)

        def ask(pipe: Any) -> None:
            pipe.eval(HOLD, *first, self._lease_ms)
            for sketch, owner in batch:
                pipe.eval(RESTORE, *first, _record(sketch, owner), BUCKET, *sketch.bands)
                if sketch.statement:
                    pipe.eval(RESTORE_CANDIDATES, *first, *_candidate(sketch, owner))

        return all(await retry_while_away(lambda: self._batch.execute(ask)))

    async def _execute(self, ask: QueueCommands) -> Any:
        (answer,) = await retry_while_away(lambda: self._batch.execute(ask))
        return answer

    async def close(self) -> None:
        await self._valkey.aclose()


def _record(sketch: TextFingerprint, owner: UUID) -> bytes:
    return owner.bytes + sketch.text + sketch.figures + sketch.written + sketch.key + sketch.shingles


def _candidate(sketch: TextFingerprint, owner: UUID) -> tuple[bytes, bytes, str, int]:
    return sketch.figures + sketch.key, owner.bytes, sketch.statement, MAX_CANDIDATES
