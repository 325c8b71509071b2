"""Finds the problem of the bank that an altered statement was made from: by the runs of words that they share.

An inverted index of a sample of all runs names candidates; the share of a candidate's runs that the text has decides.
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
"""One run of so many is in the index, the same ones in each process."""
CANDIDATES = 16
"""Problems that are looked at closely. Siblings that differ only in what was left out are told apart by nobody."""
SHARE = 0.2
"""Of its runs of words, the least by which a problem is still known."""

_WORDS = re.compile(r"[a-z]+|\d+")


def runs(text: str) -> set[int]:
    """Return the hashes of all runs of words and numbers."""
    words = _WORDS.findall(text.lower())
    return {crc32(" ".join(words[at : at + RUN]).encode()) for at in range(len(words) - RUN + 1)}


class Near:
    """An index over problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._problems = tuple(problems)
        self._places: dict[int, list[int]] = defaultdict(list)
        for at, problem in enumerate(self._problems):
            for run in runs(problem.text):
                if run % SAMPLE == 0:
                    self._places[run].append(at)

    def nearest(self, text: str) -> Problem | None:
        """Return the problem that is nearest to the text, or None where none is near enough."""
        asked = runs(text)
        counts = Counter(at for run in asked for at in self._places.get(run, ()))
        first = nsmallest(CANDIDATES, counts, key=lambda at: (-counts[at], at))
        share, best = max(((self._share(at, asked), -at) for at in first), default=(0.0, 0))
        return self._problems[-best] if share >= SHARE else None

    def _share(self, at: int, asked: set[int]) -> float:
        own = runs(self._problems[at].text)
        return len(own & asked) / len(own)
