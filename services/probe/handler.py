"""Measures the difficulty of a problem by a few attempts of the model that will be trained."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemAccepted, ProblemProbed, ProblemRejected
from schemas.identity import seed
from schemas.item import Agreement, Probe, Problem
from shared.answers.extract import final_answer
from shared.ports import Grader, Model, Reply

ROLE = "probe"


@dataclass(frozen=True, slots=True)
class ProbeDifficulty:
    """Without a model the difficulty stays unknown."""

    model: Model | None
    grader: Grader
    attempts: int
    max_base_pass: float

    async def __call__(self, event: ProblemAccepted) -> Iterable[Event]:
        if self.model is None or not self.attempts:
            return [ProblemProbed.without_attempts(event)]
        problem = event.item.written
        replies = await self._attempts(self.model, event)
        grades = [await self._grade(reply, problem) for reply in replies]
        probe = Probe(attempts=self.attempts, hits=grades.count("yes"), ungraded=grades.count("unsure"))
        item, calls = event.item.with_(probe=probe), tuple(call for reply in replies for call in reply.calls)
        graded = probe.attempts - probe.ungraded
        if graded and probe.hits / graded > self.max_base_pass:
            detail = f"the base model solves it in {probe.hits} of {graded}, more than {self.max_base_pass:.0%}"
            return [ProblemRejected.of(event, ROLE, item=item, calls=calls, reason="too_easy", detail=detail)]
        return [ProblemProbed.of(event, ROLE, item=item, calls=calls)]

    async def _attempts(self, model: Model, event: ProblemAccepted) -> list[Reply]:
        """Run all attempts concurrently. When one fails the others still finish, because they are paid for."""
        fields = {"problem": event.item.written.statement}
        calls = (model.complete(fields, seed=seed(event.id, n)) for n in range(self.attempts))
        replies = []
        for reply in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(reply, BaseException):
                raise reply
            replies.append(reply)
        return replies

    async def _grade(self, reply: Reply, problem: Problem) -> Agreement:
        answer = final_answer(reply.text) if reply.finished else None
        if answer is None:
            return "unsure"
        return (await self.grader.compare(problem.answer, answer, problem.answer_type, problem.statement)).agrees
