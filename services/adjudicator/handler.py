"""Chooses between a key and a rival answer. The model sees both in an order that the seed decides, without labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from schemas.events import Event, EvidenceGiven, EvidenceRequested
from schemas.identity import derive, seed
from schemas.item import Adjudication
from schemas.outcomes import EvidenceKind
from shared.llm import response_models
from shared.ports import Malformed, Model

ROLE = "adjudicator"
NO_MODEL = "no model has the role adjudicator"

Chosen = Literal["key", "rival", "neither"]


@dataclass(frozen=True, slots=True)
class Adjudicate:
    """Without a model every request is answered as unable."""

    model: Model | None

    async def __call__(self, event: EvidenceRequested) -> Iterable[Event]:
        if self.model is None or event.kind != EvidenceKind.ADJUDICATION or len(event.candidates) != 1:
            why = NO_MODEL if self.model is None else f"this version gives no {event.kind}"
            return [EvidenceGiven.answer(event, unable=why)]
        [rival], key = event.candidates, event.item.written.answer
        key_first = is_key_first(event.item.id, rival, event.repetition)
        first, second = (key, rival) if key_first else (rival, key)
        seeds = derive(event.id, ROLE)
        canary = derive(seeds, "canary").hex[:6]
        fields = {"problem": event.item.written.statement, "first": first, "second": second, "canary": canary}
        try:
            reply, calls = await self.model.structured(fields, response_models.Adjudication, seed=seed(seeds))
        except Malformed as error:
            return [EvidenceGiven.answer(event, error.calls, unable=str(error))]
        if reply.canary.strip() != canary:
            why = "the reply does not repeat this call's code word: copied from the problem?"
            return [EvidenceGiven.answer(event, calls, unable=why)]
        adjudication = Adjudication(
            role=ROLE,
            model=self.model.name,
            rival=rival,
            chosen=_chosen(reply.right, key_first=key_first),
            key_first=key_first,
            reason=reply.reason,
        )
        return [EvidenceGiven.answer(event, calls, adjudication)]


def is_key_first(problem: UUID, rival: str, repetition: int) -> bool:
    """Whether the key is shown first: by chance the first time, and the other way round at each repetition."""
    return (derive(problem, f"first of two: {rival}").int + repetition) % 2 == 0


def _chosen(right: Literal["first", "second", "neither"], *, key_first: bool) -> Chosen:
    if right == "neither":
        return "neither"
    return "key" if (right == "first") == key_first else "rival"
