"""Is the problem known from a benchmark?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.config.policies import Benchmark
from shared.text.benchmarks import questions
from shared.text.overlap import Overlap, Overlaps

CONTAINED, JACCARD_8, JACCARD_13 = 0.5, 0.1, 0.05
"""A problem counts as known that has more than this of an item, by any of the three."""


@dataclass(frozen=True, slots=True)
class BenchmarkMatch:
    """A problem and the item that it overlaps with most."""

    benchmark: str
    overlap: Overlap

    @property
    def contaminated(self) -> bool:
        found = self.overlap
        return found.contained > CONTAINED or found.jaccard_8 > JACCARD_8 or found.jaccard_13 > JACCARD_13

    def __str__(self) -> str:
        found = self.overlap
        return (
            f"item {found.item + 1} of {self.benchmark}: {found.contained:.0%} contained, "
            f"Jaccard {found.jaccard_8:.2f} for 8 words and {found.jaccard_13:.2f} for 13"
        )


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """A benchmark about which a judge is asked, from this share in common on."""

    least: float
    questions: Sequence[str]


class Benchmarks:
    """Indices of benchmarks by name, in memory. Without any, nothing is known."""

    def __init__(self, indices: Mapping[str, Overlaps], judged: Mapping[str, JudgePolicy] | None = None) -> None:
        self._indices = indices
        self._judged = judged or {}

    @classmethod
    def load(cls, benchmarks: Mapping[str, Benchmark]) -> "Benchmarks":
        """Read the files that a plan names. Raises Refusal when one cannot be."""
        asked = {name: questions(name, one) for name, one in benchmarks.items()}
        judged = {name: JudgePolicy(one.judge_from, asked[name]) for name, one in benchmarks.items() if one.judge_from}
        return cls({name: Overlaps(its) for name, its in asked.items()}, judged)

    @property
    def sizes(self) -> dict[str, int]:
        """Questions of each benchmark."""
        return {name: len(index) for name, index in self._indices.items()}

    def known(self, statement: str) -> BenchmarkMatch | None:
        """The closest item, if the statement counts as known from it."""
        closest = max(self.closest(statement), key=lambda match: match.overlap.contained, default=None)
        return closest if closest and closest.contaminated else None

    @property
    def want_a_judge(self) -> bool:
        """Whether there is anything that only a judge can tell."""
        return bool(self._judged)

    def doubtful(self, statement: str) -> list[tuple[BenchmarkMatch, str]]:
        """The closest item of each benchmark, with its question, about which a judge is to be asked."""
        return [
            (match, judged.questions[match.overlap.item])
            for match in self.closest(statement)
            if (judged := self._judged.get(match.benchmark)) and match.overlap.contained >= judged.least
        ]

    def closest(self, statement: str) -> list[BenchmarkMatch]:
        """The closest item of each benchmark that has anything in common with a statement."""
        return [BenchmarkMatch(name, one) for name, index in self._indices.items() if (one := index.closest(statement))]
