"""Twins in quite other words: the same numbers, the same key, and statements that mean the same to an embedder."""

from dataclasses import dataclass
from uuid import UUID

from schemas.item import Provenance
from shared.ports import Embedder, Likeness, Sketch, Twins

SAME = 0.85
"""Cosine from which two statements with the same numbers and the same key mean the same."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Nobody is asked while no earlier problem has the same numbers and key."""

    embedder: Embedder
    twins: Twins

    async def likeness(self, sketch: Sketch, owner: UUID) -> tuple[Likeness, tuple[Provenance, ...]]:
        """What the problem is to earlier ones, and the call that told."""
        earlier = await self.twins.akin(sketch, owner)
        if not earlier:
            return Likeness("new"), ()
        found = await self.embedder.nearness(sketch.statement, [statement for _, statement in earlier])
        score, twin = max(zip(found.cosines, (id_ for id_, _ in earlier), strict=True))
        return (Likeness("same_meaning", twin, score) if score >= SAME else Likeness("new")), (found.call,)
