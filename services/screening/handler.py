"""Decide early: form, leak of the answer, contamination, repeats, near repeats; on request, twins in meaning."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Item, Problem, Provenance
from services.screening.benchmark_judge import Examiner
from services.screening.fingerprint import sketch
from services.screening.form import flaw
from services.screening.semantic_check import Meaning
from shared.ports import Likeness, Twins
from shared.text.contamination import Benchmarks

ROLE = "screening"

Found = tuple[str, str] | None
"""Reason and detail of a refusal."""


@dataclass(frozen=True, slots=True)
class ScreenProblem:
    """What is refused for its form, or is known from a benchmark, keeps nobody out."""

    twins: Twins
    benchmarks: Benchmarks
    examiner: Examiner | None = None
    meaning: Meaning | None = None

    async def __call__(self, event: ProblemDrafted) -> Iterable[Event]:
        item = event.item.with_(fingerprint=event.item.written.fingerprint)
        found, calls = await self._found(item)
        if found is None:
            return [ProblemScreened.of(event, ROLE, item, calls)]
        reason, detail = found
        return [ProblemRejected.of(event, ROLE, item, calls, reason=reason, detail=detail)]

    async def _found(self, item: Item) -> tuple[Found, tuple[Provenance, ...]]:
        problem, paid = item.written, tuple[Provenance, ...]()
        if found := flaw(problem) or self._contaminated(problem):
            return found, paid
        if self.examiner:
            known, paid = await self.examiner(problem)
            if known:
                return ("contaminated", known), paid
        its = sketch(problem, worded=self.meaning is not None)
        found = _likeness(await self.twins.place(its, item.id))
        if self.meaning and not found:
            likeness, calls = await self.meaning.likeness(its, item.id)
            found, paid = _likeness(likeness), paid + calls
        return found, paid

    def _contaminated(self, problem: Problem) -> Found:
        match = self.benchmarks.known(problem.statement)
        return ("contaminated", str(match)) if match else None


def _likeness(to: Likeness) -> Found:
    """Reason and detail, for a problem that is not new."""
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
            return to.kind, f"one more like {to.of}, with another answer: {to.score:.0%} in common"
