"""Rows that match benchmark questions, by the rule that screening uses.

Rows are compared again on each call, because a benchmark may have been added after they were screened.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from schemas.config.policies import Benchmark
from shared.text.contamination import Benchmarks


class Contamination:
    """Compares rows with benchmarks."""

    def __init__(self, benchmarks: Mapping[str, Benchmark]) -> None:
        """Load the benchmarks. Raises Refusal for an unreadable file."""
        self._benchmarks = Benchmarks.load(benchmarks)
        self._rows = 0
        self._contaminated: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._jaccard_8: defaultdict[str, float] = defaultdict(float)
        self._jaccard_13: defaultdict[str, float] = defaultdict(float)

    def __bool__(self) -> bool:
        """Whether there are benchmarks."""
        return bool(self._benchmarks.sizes)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._rows += 1
        for match in self._benchmarks.known_from(row["problem"]):
            self._contaminated[match.benchmark].setdefault(row["id"], str(match))
        for match in self._benchmarks.closest(row["problem"]):
            self._jaccard_8[match.benchmark] += match.overlap.jaccard_8
            self._jaccard_13[match.benchmark] += match.overlap.jaccard_13

    def document(self) -> dict[str, dict[str, Any]]:
        """Return the figures by benchmark. Jaccard indices are means over rows, with the closest question of each."""
        return {
            name: {
                "questions": questions,
                "known": self._contaminated[name],
                "jaccard_8": self._jaccard_8[name] / self._rows if self._rows else None,
                "jaccard_13": self._jaccard_13[name] / self._rows if self._rows else None,
            }
            for name, questions in self._benchmarks.sizes.items()
        }
