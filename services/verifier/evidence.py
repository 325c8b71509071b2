"""Gives evidence: the first round on every problem, then what the panel requests, a blind vote or a judgement."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, EvidenceGiven, EvidenceRequested, ProblemScreened
from schemas.identity import derive, seed
from schemas.item import Provenance, Vote
from schemas.outcomes import EvidenceKind
from services.verifier.handler import VerifyProblem
from shared.ports import Malformed


@dataclass(frozen=True, slots=True)
class GiveEvidence:
    """Answers every request, an unknown kind by saying so."""

    verify: VerifyProblem

    async def __call__(self, request: ProblemScreened | EvidenceRequested) -> Iterable[Event]:
        if isinstance(request, ProblemScreened):
            return await self.verify(request)
        if request.kind == EvidenceKind.VOTE:
            return [await self._vote(request)]
        if request.kind == EvidenceKind.JUDGEMENT:
            return [await self._judge(request)]
        return [EvidenceGiven.answer(request, unable=f"this version gives no {request.kind}")]

    async def _vote(self, request: EvidenceRequested) -> EvidenceGiven:
        """Solve blind once more, and compare the answer with the key, then with the rivals that others gave."""
        earlier = [Vote(answer=rival, agrees="no", method="repeated") for rival in request.candidates]
        vote, calls = await self.verify.attempt(request.item, seed(derive(request.id, request.role)), earlier)
        if vote.answer in request.candidates:
            vote = vote.with_(rival=vote.answer)
        elif vote.agrees == "no":
            vote, compared = await self._compare(vote, request)
            calls += compared
        return EvidenceGiven.answer(request, calls, vote=vote)

    async def _compare(self, vote: Vote, request: EvidenceRequested) -> tuple[Vote, tuple[Provenance, ...]]:
        """The vote with the first rival that it is, or else those that it certainly is not."""
        problem, others, calls = request.item.written, list[str](), tuple[Provenance, ...]()
        for rival in request.candidates:
            grader = self.verify.grader
            found = await grader.compare(rival, vote.answer or "", problem.answer_type, problem.statement)
            calls += found.calls
            if found.agrees == "yes":
                return vote.with_(rival=rival, other_than=tuple(others) or None), calls
            if found.agrees == "no":
                others.append(rival)
        return vote.with_(other_than=tuple(others) or None), calls

    async def _judge(self, request: EvidenceRequested) -> EvidenceGiven:
        try:
            seeds = derive(request.id, request.role)
            judgement, calls = await self.verify.judge_item(request.item, request.votes, seeds)
        except Malformed as error:
            return EvidenceGiven.answer(request, error.calls, unable=str(error))
        return EvidenceGiven.answer(request, calls, judgement=judgement)
