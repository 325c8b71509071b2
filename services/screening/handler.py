"""Rejects a problem before any model is paid: bad form, leaked answer, contamination, exact and near duplicates."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.config.plan import ENGLISH
from schemas.events import Event, ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Item, Problem, Provenance
from services.screening.benchmark_judge import BenchmarkJudge
from services.screening.fingerprint import fingerprint
from services.screening.form import find_flaw
from services.screening.semantic_check import SemanticCheck
from shared.ports import Match, NearDuplicateIndex
from shared.text.contamination import Benchmarks

ROLE = "screening"

Rejection = tuple[str, str] | None
"""Reason and detail of a rejection."""


@dataclass(frozen=True, slots=True)
class ScreenProblem:
    """Problems of bad form or from a benchmark do not enter the index."""

    index: NearDuplicateIndex
    benchmarks: Benchmarks
    benchmark_judge: BenchmarkJudge | None = None
    semantic_check: SemanticCheck | None = None
    language: str = ENGLISH

    async def __call__(self, event: ProblemDrafted) -> Iterable[Event]:
        item = event.item.with_(fingerprint=event.item.written.fingerprint)
        rejection, calls = await self._check(item)
        if rejection is None:
            return [ProblemScreened.of(event, ROLE, item, calls)]
        reason, detail = rejection
        return [ProblemRejected.of(event, ROLE, item, calls, reason=reason, detail=detail)]

    async def _check(self, item: Item) -> tuple[Rejection, tuple[Provenance, ...]]:
        problem, calls = item.written, tuple[Provenance, ...]()
        if rejection := find_flaw(problem, self.language) or self._contaminated(problem):
            return rejection, calls
        if self.benchmark_judge:
            matched, calls = await self.benchmark_judge(problem)
            if matched:
                return ("contaminated", matched), calls
        signature = fingerprint(problem, with_text=self.semantic_check is not None)
        rejection = _explain(await self.index.add(signature, item.id))
        if self.semantic_check and not rejection:
            match, new_calls = await self.semantic_check.closest(signature, item.id)
            rejection, calls = _explain(match), calls + new_calls
        return rejection, calls

    def _contaminated(self, problem: Problem) -> Rejection:
        match = self.benchmarks.find_match(problem.statement)
        return ("contaminated", str(match)) if match else None


def _explain(match: Match) -> Rejection:
    """Return reason and detail for a problem that is not new."""
    match match.kind:
        case "new":
            return None
        case "repeat":
            return match.kind, f"the same text as {match.of}"
        case "near_repeat":
            return match.kind, f"the same problem as {match.of} in other words: {match.score:.0%} in common"
        case "same_meaning":
            return match.kind, f"means the same as {match.of}, with the same numbers and key: cosine {match.score:.2f}"
        case _:
            return match.kind, f"another variant of {match.of}, with another answer: {match.score:.0%} in common"
