"""Decide what needs no model: form, leak of the answer, exact repeats."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemDrafted, ProblemRejected, ProblemScreened
from services.screening.form import flaw
from shared.ports import Register

ROLE = "screening"


@dataclass(frozen=True, slots=True)
class ScreenProblem:
    """Form first, then the register: what is refused for its form keeps nobody out."""

    register: Register

    async def __call__(self, event: ProblemDrafted) -> Iterable[Event]:
        item = event.item.with_(fingerprint=event.item.written.fingerprint)
        if found := flaw(item.written):
            reason, detail = found
            return [ProblemRejected.of(event, ROLE, item=item, reason=reason, detail=detail)]
        first = await self.register.claim(item.written.fingerprint, item.id)
        if first != item.id:
            return [ProblemRejected.of(event, ROLE, item=item, reason="repeat", detail=f"the same text as {first}")]
        return [ProblemScreened.of(event, ROLE, item=item)]
