"""Twins in quite other words: the same numbers, the same key, and statements that mean the same to an embedder."""

from dataclasses import dataclass
from uuid import UUID

from schemas.item import Provenance
from shared.ports import Embedder, Match, NearDuplicateIndex, TextFingerprint

SAME_MEANING = 0.85
"""Cosine from which two statements with the same numbers and the same key mean the same."""


@dataclass(frozen=True, slots=True)
class SemanticCheck:
    """Nobody is asked while no earlier problem has the same numbers and key."""

    embedder: Embedder
    twins: NearDuplicateIndex

    async def closest(self, sketch: TextFingerprint, owner: UUID) -> tuple[Match, tuple[Provenance, ...]]:
        """What the problem is to earlier ones, and the call that told."""
        earlier = await self.twins.candidates(sketch, owner)
        if not earlier:
            return Match("new"), ()
        found = await self.embedder.nearness(sketch.statement, [statement for _, statement in earlier])
        score, twin = max(zip(found.cosines, (id_ for id_, _ in earlier), strict=True))
        return (Match("same_meaning", twin, score) if score >= SAME_MEANING else Match("new")), (found.call,)
