"""Solve blind, then judge.

A judge that sees the key tends to nod, so evidence comes first: attempts without the key, one, and on a miss more, up
to the plan's limit, until one hits; where a guess may hit, until luck explains it no more; where the writer's own model
is asked again, until two hit. Every attempt is a vote on record. Only then is the key shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.events import Event, ProblemScreened, ProblemVerified
from schemas.identity import content_hash, derive, seed
from schemas.item import Item, Judgement, Provenance, Verdict, Vote
from shared.answers.extract import final_answer
from shared.answers.normal import text_form
from shared.llm import response_models
from shared.ports import Grader, Malformed, Model, Reply
from shared.stats.guessing import MAX_P_VALUE_ONE_MODEL, guess_probability, hits_needed, p_value

JUDGE_CALL = 1000
"""Number of the judge's call among an event's seeds, beyond every blind attempt."""
SUBJECTS_COUNTED = 2
"""A problem may lie between two subjects, not among three."""


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One verifier, `verifier-a` or `verifier-b`; neither sees what the other found."""

    role: str
    blind: Model
    judge: Model
    grader: Grader
    blind_attempts: int
    subjects: Sequence[str]
    """Among which the judge finds the problem's own."""

    async def __call__(self, event: ProblemScreened) -> Iterable[Event]:
        seeds = derive(event.id, self.role)  # both verifiers read one event; they must not roll the same dice
        votes: list[Vote] = []
        calls: list[Provenance] = []
        key, needed = event.item.written.answer, hits_needed(self.blind.name, event.item.writer)
        while len(votes) < self.blind_attempts and not convinced(key, votes, needed):
            fields = {"problem": event.item.written.statement}
            reply = await self.blind.complete(fields, seed=seed(seeds, len(votes)))
            vote, graded = await self._vote(reply, event.item, votes)
            votes.append(vote)
            calls += (*reply.calls, *graded)
        judgement, unable = None, None
        try:
            judgement, judged = await self._judge(event.item, votes, seeds)
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

    async def _vote(self, reply: Reply, item: Item, before: Iterable[Vote]) -> tuple[Vote, tuple[Provenance, ...]]:
        """The vote, and the calls that it took to compare it with the key; an answer given before is not compared."""
        if reply.fault:
            return Vote(answer=None, agrees="unsure", method=reply.fault), ()
        answer = final_answer(reply.text)
        if answer is None:
            return Vote(answer=None, agrees="unsure", method="no_answer"), ()
        if known := next((vote for vote in before if vote.answer == answer), None):
            return known, ()
        key = item.written
        found = await self.grader.compare(key.answer, answer, key.answer_type, key.statement)
        return Vote(answer=answer, agrees=found.agrees, method=found.method), found.calls

    async def _judge(self, item: Item, votes: Iterable[Vote], seeds: UUID) -> tuple[Judgement, tuple[Provenance, ...]]:
        """Raises Malformed when the judge gives no verdict, or one that was not made for this call."""
        canary = derive(seeds, "canary").hex[:6]
        fields = judge_fields(item, votes) | {"canary": canary, "subjects": self._candidates(seeds)}
        said, calls = await self.judge.structured(fields, response_models.Judgement, seed=seed(seeds, JUDGE_CALL))
        if said.canary.strip() != canary:
            raise Malformed("the verdict does not repeat the word that it was told: copied from the problem?", calls)
        subjects = tuple(said.subjects[:SUBJECTS_COUNTED])
        on_topic = text_form(item.topic.subject) in map(text_form, subjects)
        points = said.model_dump(exclude={"canary", "reasons", "subjects"})
        reasons = said.reasons.model_dump() | {"on_topic": f"found blind: {', '.join(subjects) or 'no subject listed'}"}
        return Judgement(**points, on_topic=on_topic, subjects=subjects, reasons=reasons), calls

    def _candidates(self, seeds: UUID) -> str:
        """The subjects in an order that the seed decides."""
        return "; ".join(sorted(self.subjects, key=lambda subject: content_hash(f"{seeds} {subject}")))


def convinced(key: str, votes: Sequence[Vote], needed: int) -> bool:
    """Whether one verifier's votes show that it finds the key: hits as needed, that are hardly luck."""
    hits, guesses = sum(vote.agrees == "yes" for vote in votes), sum(vote.answer is not None for vote in votes)
    return hits >= needed and p_value(guess_probability(key), hits, guesses) < MAX_P_VALUE_ONE_MODEL


def judge_fields(item: Item, votes: Iterable[Vote]) -> dict[str, str]:
    """What the judge sees of the item. Neither the writer's own solution nor the topic asked for is part of it."""
    blind = [vote.answer for vote in votes if vote.answer is not None]
    return {"problem": item.written.statement, "answer": item.written.answer, "blind": " ; ".join(blind) or "none"}
