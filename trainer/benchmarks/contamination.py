"""Measures how much of a benchmark is in the training rows.

The CHIMERA paper (arXiv 2603.00889) reports the Jaccard index of word n-grams, n = 8 and 13: the mean over training
problems of the largest value with any question. A mean over thousands hides a single copied row, so the largest
containment and the number of questions contained by half are reported too. Names of variables, case and punctuation are
ignored (`shared.text`).
"""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from shared.text.overlap import Overlaps, jaccard, ngrams
from shared.text.words import words_without_names

SIZES = (8, 13)
HALF = 0.5


def measure_contamination(questions: Sequence[str], problems: Sequence[str]) -> dict[str, Any]:
    """Return fractions from 0 to 1, and counts. Raises ValueError without problems."""
    overlaps = Overlaps(questions)
    closest = [found for found in map(overlaps.closest, problems) if found]
    return {
        "rows": len(problems),
        **{f"jaccard_{n}": fmean(_largest_jaccards(questions, problems, n)) for n in SIZES},
        "contained": max((found.contained for found in closest), default=0.0),
        "questions_contained": len({found.item for found in closest if found.contained >= HALF}),
    }


def _largest_jaccards(questions: Sequence[str], problems: Sequence[str], n: int) -> Iterable[float]:
    """Yield for each problem the largest Jaccard index with any question that shares an n-gram with it."""
    sets = [ngrams(words_without_names(question), n) for question in questions]
    questions_by_gram: dict[int, list[int]] = {}
    for at, found in enumerate(sets):
        for gram in found:
            questions_by_gram.setdefault(gram, []).append(at)
    for problem in problems:
        its = ngrams(words_without_names(problem), n)
        near = {at for gram in its for at in questions_by_gram.get(gram, ())}
        yield max((jaccard(its, sets[at]) for at in near), default=0.0)
