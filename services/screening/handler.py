"""Rejects a problem before models are paid: bad form, leaked answer, contamination, duplicates and near duplicates."""

from collections.abc import Iterable
from dataclasses import dataclass

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

    async def __call__(self, event: ProblemDrafted) -> Iterable[Event]:
        item = event.item.with_(fingerprint=event.item.written.fingerprint)
        rejection, calls = await self._check(item)
        if rejection is None:
            return [ProblemScreened.of(event, ROLE, item, calls)]
        reason, detail = rejection
        return [ProblemRejected.of(event, ROLE, item, calls, reason=reason, detail=detail)]

    async def _check(self, item: Item) -> tuple[Rejection, tuple[Provenance, ...]]:
        problem, paid = item.written, tuple[Provenance, ...]()
        if rejection := find_flaw(problem) or self._contaminated(problem):
            return rejection, paid
        if self.benchmark_judge:
            known, paid = await self.benchmark_judge(problem)
            if known:
                return ("contaminated", known), paid
        its = fingerprint(problem, with_text=self.semantic_check is not None)
        rejection = _match(await self.index.add(its, item.id))
        if self.semantic_check and not rejection:
            likeness, calls = await self.semantic_check.closest(its, item.id)
            rejection, paid = _match(likeness), paid + calls
        return rejection, paid

    def _contaminated(self, problem: Problem) -> Rejection:
        match = self.benchmarks.find_match(problem.statement)
        return ("contaminated", str(match)) if match else None


def _match(to: Match) -> Rejection:
    """Return reason and detail for a problem that is not new."""
    match to.kind:
        case "new":
            return None
        case "repeat":
            return to.kind, f"the same text as {to.of}"
        case "near_repeat":
            return to.kind, f"the same problem as {to.of} in other words: {to.score:.0%} in common"
        case "same_meaning":
            return to.kind, f"means the same as {to.of}, with the same numbers and key: cosine {to.score:.2f}"
        case _:
            return to.kind, f"another variant of {to.of}, with another answer: {to.score:.0%} in common"
