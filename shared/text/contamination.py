"""Detects problems that are known from a benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.config.policies import Benchmark
from shared.text.benchmarks import read_questions
from shared.text.overlap import Overlap, Overlaps

MAX_CONTAINED, MAX_JACCARD_8, MAX_JACCARD_13 = 0.5, 0.1, 0.05
"""A problem counts as known when any of the three measures is above its limit."""


@dataclass(frozen=True, slots=True)
class BenchmarkMatch:
    """A benchmark item that a problem overlaps with."""

    benchmark: str
    overlap: Overlap

    @property
    def contaminated(self) -> bool:
        its = self.overlap
        return its.contained > MAX_CONTAINED or its.jaccard_8 > MAX_JACCARD_8 or its.jaccard_13 > MAX_JACCARD_13

    def __str__(self) -> str:
        its = self.overlap
        return (
            f"item {its.item + 1} of {self.benchmark}: {its.contained:.0%} contained, "
            f"Jaccard {its.jaccard_8:.2f} for 8 words and {its.jaccard_13:.2f} for 13"
        )


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """Questions of a benchmark that a judge compares, from an overlap of `least`."""

    least: float
    questions: Sequence[str]


class Benchmarks:
    """In-memory indices of benchmarks by name."""

    def __init__(self, indices: Mapping[str, Overlaps], judged: Mapping[str, JudgePolicy] | None = None) -> None:
        self._indices = indices
        self._judged = judged or {}

    @classmethod
    def load(cls, benchmarks: Mapping[str, Benchmark]) -> "Benchmarks":
        """Read the files that a plan names. Raises Refusal when one cannot be read."""
        questions = {name: read_questions(name, one) for name, one in benchmarks.items()}
        judged = {
            name: JudgePolicy(one.judge_from, questions[name]) for name, one in benchmarks.items() if one.judge_from
        }
        return cls({name: Overlaps(its) for name, its in questions.items()}, judged)

    @property
    def sizes(self) -> dict[str, int]:
        """Number of questions of each benchmark."""
        return {name: len(index) for name, index in self._indices.items()}

    def find_match(self, statement: str) -> BenchmarkMatch | None:
        """Return the closest of the items from which the statement counts as known; None when there is none."""
        return max(self.known_from(statement), key=lambda match: match.overlap.contained, default=None)

    def known_from(self, statement: str) -> list[BenchmarkMatch]:
        """Every item, of any benchmark, that is over a limit."""
        matches = (BenchmarkMatch(name, one) for name, its in self._indices.items() for one in its.notable(statement))
        return [match for match in matches if match.contaminated]

    @property
    def needs_judge(self) -> bool:
        """Whether a judge has to compare any question."""
        return bool(self._judged)

    def matches_to_judge(self, statement: str) -> list[tuple[BenchmarkMatch, str]]:
        """The closest item of each benchmark with its question, where a judge has to compare it."""
        return [
            (match, judged.questions[match.overlap.item])
            for match in self.closest(statement)
            if (judged := self._judged.get(match.benchmark)) and match.overlap.contained >= judged.least
        ]

    def closest(self, statement: str) -> list[BenchmarkMatch]:
        """The closest item of each benchmark that overlaps with a statement."""
        return [BenchmarkMatch(name, one) for name, index in self._indices.items() if (one := index.closest(statement))]
