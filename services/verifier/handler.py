"""Solve blind, then judge.

A judge that sees the key tends to nod, so evidence comes first: attempts without the key, one, and on a miss more, up
to the plan's limit, until one hits. Every attempt is a vote on record. Only then is the key shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemScreened, ProblemVerified
from schemas.identity import derive, seed
from schemas.item import Item, Judgement, Provenance, Verdict, Vote
from shared.answers.extract import final_answer
from shared.ports import Grader, Malformed, Model, Reply

JUDGE_CALL = 1000
"""Number of the judge's call among an event's seeds, beyond every blind attempt."""


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One verifier, `verifier-a` or `verifier-b`; neither sees what the other found."""

    role: str
    blind: Model
    judge: Model
    grader: Grader
    blind_attempts: int

    async def __call__(self, event: ProblemScreened) -> Iterable[Event]:
        seeds = derive(event.id, self.role)  # both verifiers read one event; they must not roll the same dice
        votes: list[Vote] = []
        calls: list[Provenance] = []
        while len(votes) < self.blind_attempts and not any(vote.agrees == "yes" for vote in votes):
            fields = {"problem": event.item.written.statement}
            reply = await self.blind.complete(fields, seed=seed(seeds, len(votes)))
            votes.append(await self._vote(reply, event.item))
            calls += reply.calls
        judgement, unable = None, None
        try:
            fields = judge_fields(event.item, votes)
            judgement, judged = await self.judge.structured(fields, Judgement, seed=seed(seeds, JUDGE_CALL))
        except Malformed as error:
            unable, judged = str(error), error.calls
        verdict = Verdict(
            role=self.role,
            model=self.judge.name,
            problem_hash=event.item.written.hash,
            votes=tuple(votes),
            judgement=judgement,
            unable=unable,
        )
        return [ProblemVerified.of(event, self.role, item=event.item, calls=(*calls, *judged), verdict=verdict)]

    async def _vote(self, reply: Reply, item: Item) -> Vote:
        if reply.fault:
            return Vote(answer=None, agrees="unsure", method=reply.fault)
        answer = final_answer(reply.text)
        if answer is None:
            return Vote(answer=None, agrees="unsure", method="no_answer")
        found = await self.grader.compare(item.written.answer, answer, item.written.answer_type)
        return Vote(answer=answer, agrees=found.agrees, method=found.method)


def judge_fields(item: Item, votes: Iterable[Vote]) -> dict[str, str]:
    """What the judge sees. The writer's own solution is not part of it."""
    blind = [vote.answer for vote in votes if vote.answer is not None]
    return {
        "subject": item.topic.subject,
        "field": item.topic.field,
        "subfield": item.topic.subfield,
        "topic": item.topic.name,
        "problem": item.written.statement,
        "answer": item.written.answer,
        "blind": " ; ".join(blind) or "none",
    }
