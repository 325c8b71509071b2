"""Finds the problem of an altered statement, by the runs of words that they share.

An inverted index of a sample of all runs gives candidates; the share of a candidate's runs in the text decides.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import nsmallest
from zlib import crc32

from services.simulator.bank.problem import Problem

RUN = 4
"""Words in a run."""
SAMPLE = 4
"""One of SAMPLE runs is in the index, the same runs in each process."""
CANDIDATES = 16
"""Candidates that are compared. Siblings that differ only in the removed words cannot be distinguished."""
SHARE = 0.2
"""Minimum share of a problem's runs in the text."""

_WORDS = re.compile(r"[a-z]+|\d+")


def runs(text: str) -> set[int]:
    """Return the hashes of all runs of words and numbers."""
    words = _WORDS.findall(text.lower())
    return {crc32(" ".join(words[at : at + RUN]).encode()) for at in range(len(words) - RUN + 1)}


class Near:
    """An index over problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._problems = tuple(problems)
        self._problems_by_run: dict[int, list[int]] = defaultdict(list)
        for at, problem in enumerate(self._problems):
            for run in runs(problem.text):
                if run % SAMPLE == 0:
                    self._problems_by_run[run].append(at)

    def nearest(self, text: str) -> Problem | None:
        """Return the problem nearest to the text, or `None` if none is near enough."""
        text_runs = runs(text)
        counts = Counter(at for run in text_runs for at in self._problems_by_run.get(run, ()))
        first = nsmallest(CANDIDATES, counts, key=lambda at: (-counts[at], at))
        share, best = max(((self._share(at, text_runs), -at) for at in first), default=(0.0, 0))
        return self._problems[-best] if share >= SHARE else None

    def _share(self, at: int, text_runs: set[int]) -> float:
        own = runs(self._problems[at].text)
        return len(own & text_runs) / len(own)
