"""Finds paraphrased duplicates: equal numbers, equal key, and similar embeddings of the statements."""

from dataclasses import dataclass
from uuid import UUID

from schemas.item import Provenance
from shared.ports import Embedder, Match, NearDuplicateIndex, TextFingerprint

SAME_MEANING = 0.85
"""Cosine similarity from which two statements with the same numbers and the same key are duplicates."""


@dataclass(frozen=True, slots=True)
class SemanticCheck:
    """Calls the embedder only when an earlier problem has the same numbers and key."""

    embedder: Embedder
    index: NearDuplicateIndex

    async def closest(self, its: TextFingerprint, owner: UUID) -> tuple[Match, tuple[Provenance, ...]]:
        """Return the match with the closest earlier problem, and the call that it took."""
        earlier = await self.index.candidates(its, owner)
        if not earlier:
            return Match("new"), ()
        similarities = await self.embedder.similarities(its.statement, [statement for _, statement in earlier])
        score, closest = max(zip(similarities.cosines, (id_ for id_, _ in earlier), strict=True))
        return (Match("same_meaning", closest, score) if score >= SAME_MEANING else Match("new")), (similarities.call,)
