"""How much of a benchmark is in the rows that are trained on.

Jaccard of word n-grams, n = 8 and 13, is what the CHIMERA paper (arXiv 2603.00889) gives: the mean over training
problems of the largest one with any question. A mean over thousands hides the one row that was copied, so the largest
containment, and how many questions are contained by half, stand beside it. Letters' names, case and punctuation do not
count (`shared.text`).
"""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from shared.text.overlap import Overlaps, jaccard, ngrams
from shared.text.words import words_without_names

SIZES = (8, 13)
HALF = 0.5


def contamination(questions: Sequence[str], problems: Sequence[str]) -> dict[str, Any]:
    """Figures as shares, 0 to 1. Raises ValueError without problems."""
    overlaps = Overlaps(questions)
    closest = [found for found in map(overlaps.closest, problems) if found]
    return {
        "rows": len(problems),
        **{f"jaccard_{n}": fmean(_largest(questions, problems, n)) for n in SIZES},
        "contained": max((found.contained for found in closest), default=0.0),
        "questions_contained": len({found.item for found in closest if found.contained >= HALF}),
    }


def _largest(questions: Sequence[str], problems: Sequence[str], n: int) -> Iterable[float]:
    """For each problem the largest Jaccard with any question that shares an n-gram with it."""
    sets = [ngrams(words_without_names(question), n) for question in questions]
    places: dict[int, list[int]] = {}
    for at, found in enumerate(sets):
        for gram in found:
            places.setdefault(gram, []).append(at)
    for problem in problems:
        its = ngrams(words_without_names(problem), n)
        near = {at for gram in its for at in places.get(gram, ())}
        yield max((jaccard(its, sets[at]) for at in near), default=0.0)
