"""The index of near-duplicate problems in Valkey, shared by all replicas. One command compares a problem and adds it.

The MinHash bands of a problem select candidates, which are compared by all of their shingles. The decision is stored,
so that a repeated event gets the same one. An emptied Valkey has no `generation`: `add` then waits until a process has
filled the index from the log (`rebuild`).

Keys: hash `index` (band → numbers of four bytes; number → record; `counter`; `akin` + numbers + key → problems with
these, as owner (16 bytes) and statement; `generation` once it is complete), string `decided` of one problem, string
`builder`. A record is owner (16 bytes), text, figures, written, key (8 each), shingles.
"""

import asyncio
from collections.abc import AsyncIterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.cache.auto_pipeline import AutoPipeline, QueueCommands
from shared.cache.client import connect, retry_while_unavailable
from shared.cache.lua import script
from shared.config.connections import ValkeyAccess
from shared.ports import Match, TextFingerprint
from shared.text.words import TEMPLATE_SIMILARITY

MAX_PER_BAND = 256
"""Problems stored for one band; the newest stay. A high limit on variants may fill it."""
MAX_CANDIDATES = 32
"""Problems with the same numbers and key that are stored with their text; the oldest stay."""
POLL_S = 0.2
"""Interval at which a waiting process checks whether the index is complete."""

_ADD, _RESTORE = (script("near_duplicates_common", f"near_duplicates_{name}") for name in ("add", "restore"))
_CANDIDATES, _RESTORE_CANDIDATES = (
    script("near_duplicates_candidates_common", f"near_duplicates_{name}")
    for name in ("candidates", "restore_candidates")
)
_CLAIM, _HOLD, _OPEN = (script(f"near_duplicates_{name}") for name in ("claim", "hold", "open"))


class ValkeyNearDuplicateIndex:
    """A `shared.ports.NearDuplicateIndex` in Valkey.

    `features` is the version of the fingerprints; each version has its own index. `variants` limits the problems of one
    template beside the first.
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

    async def add(self, fingerprint: TextFingerprint, owner: UUID) -> Match:
        """Implements the protocol. Waits while the index is not complete."""
        keys = (self._index, f"{self._decided}:{owner}")
        limits = (fingerprint.near, TEMPLATE_SIMILARITY, self._variants, MAX_PER_BAND, self._decided_ms)
        arguments: list[str | bytes | float] = [owner.bytes, _record(fingerprint, owner), *limits, *fingerprint.bands]
        while True:
            kind, *match = await self._execute(lambda pipe: pipe.eval(_ADD, len(keys), *keys, *arguments))
            if kind != b"lost":
                other, score = match
                return Match(kind.decode(), UUID(bytes=other) if other else None, float(score))
            await asyncio.sleep(POLL_S)

    async def candidates(self, fingerprint: TextFingerprint, owner: UUID) -> list[tuple[UUID, str]]:
        """Implements the protocol. Waits while the index is not complete."""
        arguments = _candidate(fingerprint, owner)
        while True:
            records = await self._execute(lambda pipe: pipe.eval(_CANDIDATES, 1, self._index, *arguments))
            if records is not None:
                return [(UUID(bytes=record[:16]), record[16:].decode()) for record in records]
            await asyncio.sleep(POLL_S)

    async def is_open(self) -> bool:
        """Whether the index is complete."""
        return bool(await self._execute(lambda pipe: pipe.hexists(self._index, "generation")))

    async def rebuild(self, batches: AsyncIterable[Sequence[tuple[TextFingerprint, UUID]]]) -> int | None:
        """Fill the index with problems and mark it as complete. Returns the number of problems.

        Returns `None` when the index is complete, another process fills it, or Valkey was emptied meanwhile.
        """
        keys, token = (self._index, self._builder), uuid4().hex
        if not await self._execute(lambda pipe: pipe.eval(_CLAIM, 2, *keys, token, self._lease_ms)):
            return None
        count = 0
        async for batch in batches:
            if not await self._restore(batch, token):
                return None
            count += len(batch)
        return count if await self._execute(lambda pipe: pipe.eval(_OPEN, 2, *keys, token)) else None

    async def _restore(self, batch: Sequence[tuple[TextFingerprint, UUID]], token: str) -> bool:
        first = (2, self._index, self._builder, token)

        def queue(pipe: Any) -> None:
            pipe.eval(_HOLD, *first, self._lease_ms)
            for fingerprint, owner in batch:
                pipe.eval(_RESTORE, *first, _record(fingerprint, owner), MAX_PER_BAND, *fingerprint.bands)
                if fingerprint.statement:
                    pipe.eval(_RESTORE_CANDIDATES, *first, *_candidate(fingerprint, owner))

        return all(await retry_while_unavailable(lambda: self._batch.execute(queue)))

    async def _execute(self, queue: QueueCommands) -> Any:
        (reply,) = await retry_while_unavailable(lambda: self._batch.execute(queue))
        return reply

    async def close(self) -> None:
        await self._valkey.aclose()


def _record(fingerprint: TextFingerprint, owner: UUID) -> bytes:
    return (
        owner.bytes
        + fingerprint.text
        + fingerprint.figures
        + fingerprint.written
        + fingerprint.key
        + fingerprint.shingles
    )


def _candidate(fingerprint: TextFingerprint, owner: UUID) -> tuple[bytes, bytes, str, int]:
    return fingerprint.figures + fingerprint.key, owner.bytes, fingerprint.statement, MAX_CANDIDATES
