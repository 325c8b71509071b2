"""A judge where n-grams leave it open: is this the same problem as the closest question of a benchmark?"""

from dataclasses import dataclass

from schemas.identity import content_hash
from schemas.item import Problem, Provenance
from shared.llm.response_models import Same
from shared.ports import Malformed, Model
from shared.text.contamination import Benchmarks


@dataclass(frozen=True, slots=True)
class BenchmarkJudge:
    model: Model
    benchmarks: Benchmarks

    async def __call__(self, problem: Problem) -> tuple[str | None, tuple[Provenance, ...]]:
        """What it is known from, and the calls that told. Who cannot tell keeps nobody out."""
        paid: tuple[Provenance, ...] = ()
        for match, question in self.benchmarks.doubtful(problem.statement):
            fields = {"one": problem.statement, "other": question}
            try:
                said, calls = await self.model.structured(fields, Same, seed=_dice(fields))
            except Malformed as error:
                paid += error.calls
                continue
            paid += calls
            if said.same == "yes":
                return f"the judge knows it from {match}: {said.reason}", paid
        return None, paid


def _dice(fields: dict[str, str]) -> int:
    return int(content_hash("\n".join(fields.values()))[:7], 16)
