"""The numbers of a dataset card, counted during the export."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.config.policies import Difficulty
from shared.dataset.reports.contamination import Contamination
from shared.dataset.reports.coverage import Coverage
from shared.dataset.reports.statistics import UNKNOWN


@dataclass(slots=True)
class ExportStats:
    """Numbers of rows by column, sums of lengths and cost."""

    contamination: Contamination
    difficulty: Difficulty
    """The bins."""
    rows: int = 0
    records: int = 0
    """Written records: a row may become none, one or several."""
    words: Counter[str] = field(default_factory=Counter)
    """Sums over all problems, and over all solutions with their thinking."""
    by: defaultdict[str, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    coverage: Coverage = field(default_factory=Coverage)
    models: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Calls by role and model."""
    splits: Counter[str] = field(default_factory=Counter)
    """Records by split."""
    cost: float | None = 0.0
    tokens: int | None = 0

    def add(self, row: Mapping[str, Any], records: int) -> None:
        """Add a row with its number of records; a row without records does not count."""
        if not records:
            return
        self.rows += 1
        self.records += records
        self.splits[row["split"]] += records
        self.words["problem"] += len(row["problem"].split())
        self.words["solution"] += len(row["reasoning"].split()) + len(row["solution"].split())
        for name in ("subject", "tier", "correct", "answer_type", "simulated", "independent", "admission"):
            self.by[name][row[name]] += 1
        self.by["difficulty"][self.difficulty.bin(row["difficulty"]) or UNKNOWN] += 1
        self.coverage.add(row)
        self.contamination.add(row)
        self.cost = None if self.cost is None or row["cost"] is None else self.cost + row["cost"]
        self.tokens = None if self.tokens is None or row["tokens"] is None else self.tokens + row["tokens"]
        for step in json.loads(row["lineage"]):
            for call in step["calls"]:
                weights = f" ({call['weights']})" if call.get("weights") else ""
                self.models[call["role"]][call["model"] + weights] += 1

    def mean_words(self, part: str) -> float:
        """Return the mean length of a problem or a solution in words."""
        return self.words[part] / self.rows
