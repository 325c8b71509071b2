"""A judge that compares a problem with benchmark questions where n-grams do not decide."""

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
        """Return why the problem is known from a benchmark, or None, and the calls. Ignores malformed replies."""
        calls: tuple[Provenance, ...] = ()
        for match, question in self.benchmarks.matches_to_judge(problem.statement):
            fields = {"one": problem.statement, "other": question}
            try:
                verdict, new_calls = await self.model.structured(fields, Same, seed=_seed(fields))
            except Malformed as error:
                calls += error.calls
                continue
            calls += new_calls
            if verdict.same == "yes":
                return f"the judge recognises {match}: {verdict.reason}", calls
        return None, calls


def _seed(fields: dict[str, str]) -> int:
    return int(content_hash("\n".join(fields.values()))[:7], 16)
