"""Solves a problem blind, then judges it.

A judge that sees the key tends to approve, so blind attempts come first: one, and after a miss more up to the plan's
limit, until one hits. Where a guess may hit, they continue until guessing is an unlikely explanation; where the
verifier is the writer's model, until two hit. Every attempt is a recorded vote. Only then the judge sees the key.
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
"""Index of the judge's call among an event's seeds, larger than that of every blind attempt."""
_NOT_POINTS = {"canary", "reasons", "subjects", "working", "second_answer", "established"}
SUBJECTS_COUNTED = 2
"""Subjects of the judge that count: a problem may be between two subjects."""


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One verifier, `verifier-a` or `verifier-b`. Neither sees the other's results."""

    role: str
    blind: Model
    judge: Model
    grader: Grader
    blind_attempts: int
    subjects: Sequence[str]
    """Subjects from which the judge chooses the problem's own. One that is not among them, of an import, is not
    examined."""

    async def __call__(self, event: ProblemScreened) -> Iterable[Event]:
        seeds = derive(event.id, self.role)  # both verifiers read the same event and need different seeds
        votes: list[Vote] = []
        calls: list[Provenance] = []
        key, needed = event.item.written.answer, 1
        while len(votes) < self.blind_attempts and not is_convinced(key, votes, needed):
            vote, made = await self.attempt(event.item, seed(seeds, len(votes)), votes)
            votes.append(vote)
            calls += made
            needed = hits_needed(self.blind.name, event.item.writer_names(*calls))
        judgement, unable = None, None
        try:
            judgement, judged = await self.judge_item(event.item, votes, seeds)
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

    async def attempt(self, item: Item, number: int, before: Iterable[Vote]) -> tuple[Vote, tuple[Provenance, ...]]:
        """Solve once without the key. Returns the vote and all calls made; `number` is the seed."""
        reply = await self.blind.complete({"problem": item.written.statement}, seed=number)
        vote, graded = await self._vote(reply, item, before)
        return vote, (*reply.calls, *graded)

    async def _vote(self, reply: Reply, item: Item, before: Iterable[Vote]) -> tuple[Vote, tuple[Provenance, ...]]:
        """Return the vote and the calls of its comparison with the key; a repeated answer is not compared again."""
        if reply.fault:
            return Vote(answer=None, agrees="unsure", method=reply.fault), ()
        answer = final_answer(reply.text)
        if answer is None:
            return Vote(answer=None, agrees="unsure", method="no_answer"), ()
        if known := next((vote for vote in before if vote.answer == answer), None):
            return known, ()
        key = item.written
        comparison = await self.grader.compare(key.answer, answer, key.answer_type, key.statement)
        return Vote(answer=answer, agrees=comparison.agrees, method=comparison.method), comparison.calls

    async def judge_item(
        self, item: Item, votes: Iterable[Vote], seeds: UUID
    ) -> tuple[Judgement, tuple[Provenance, ...]]:
        """Judge the item. Raises Malformed when the reply is not a verdict, or was not made for this call."""
        canary = derive(seeds, "canary").hex[:6]
        fields = judge_fields(item, votes) | {"canary": canary, "subjects": self._candidates(seeds)}
        reply, calls = await self.judge.structured(fields, response_models.Judgement, seed=seed(seeds, JUDGE_CALL))
        if reply.canary.strip() != canary:
            raise Malformed("the verdict does not repeat this call's code word: copied from the problem?", calls)
        subjects = tuple(reply.subjects[:SUBJECTS_COUNTED])
        own = text_form(item.topic.subject)
        on_topic = own in map(text_form, subjects) or own not in map(text_form, self.subjects)
        points = reply.model_dump(exclude=_NOT_POINTS) | {"open_problem": not reply.established}
        reasons = reply.reasons.model_dump(exclude={"established"}) | {
            "open_problem": reply.reasons.established,
            "on_topic": f"found blind: {', '.join(subjects) or 'no subject listed'}",
        }
        if second := _second_answer(reply.second_answer, item.written.answer):
            points["unique_answer"] = False
            reasons["unique_answer"] = f"another answer fits as well: {second}"
        return Judgement(**points, on_topic=on_topic, subjects=subjects, reasons=reasons), calls

    def _candidates(self, seeds: UUID) -> str:
        """List the subjects in an order that the seed decides."""
        return "; ".join(sorted(self.subjects, key=lambda subject: content_hash(f"{seeds} {subject}")))


def _second_answer(given: str, key: str) -> str:
    """Return the second answer that the judge found; empty when it found none, or repeats the key."""
    return "" if text_form(given) in ("", "none", "no", "n a", "null", text_form(key)) else given.strip()


def is_convinced(key: str, votes: Sequence[Vote], needed: int) -> bool:
    """Whether one verifier's votes confirm the key: enough hits, which guessing is unlikely to explain."""
    hits, guesses = sum(vote.agrees == "yes" for vote in votes), sum(vote.answer is not None for vote in votes)
    return hits >= needed and p_value(guess_probability(key), hits, guesses) < MAX_P_VALUE_ONE_MODEL


def judge_fields(item: Item, votes: Iterable[Vote]) -> dict[str, str]:
    """Return what the judge sees of the item: neither the writer's solution nor the requested topic."""
    blind = [vote.answer for vote in votes if vote.answer is not None]
    return {"problem": item.written.statement, "answer": item.written.answer, "blind": " ; ".join(blind) or "none"}
