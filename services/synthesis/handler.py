"""Makes one long solution: reasoning, text and final answer. A truncated one is marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemProbed, SolutionRequested, SolutionSynthesized
from schemas.identity import seed
from schemas.item import Attempt
from shared.answers.extract import final_answer
from shared.ports import Model

ROLE = "synthesis"


@dataclass(frozen=True, slots=True)
class SynthesizeSolution:
    """One attempt per event. The solver sees only the problem, never the key or a verdict."""

    model: Model

    async def __call__(self, event: ProblemProbed | SolutionRequested) -> Iterable[Event]:
        reply = await self.model.complete({"problem": event.item.written.statement}, seed=seed(event.id))
        attempt = Attempt(
            index=len(event.item.attempts),
            reasoning=reply.reasoning,
            solution=reply.text,
            answer=final_answer(reply.text) if reply.finished else None,
            flaws=(reply.fault,) if reply.fault else (),
            provenance=reply.provenance,
        )
        return [SolutionSynthesized.of(event, ROLE, item=event.item, calls=reply.calls, attempt=attempt)]
