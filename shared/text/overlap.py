"""How much of a text is in one of many others: n-grams of words, found by an inverted index in memory.

Jaccard for n = 8 and 13 is what the CHIMERA paper (arXiv:2603.00889) and others publish; a word that was edited breaks
as many n-grams, so that a lightly edited text keeps few. What tells best is how many trigrams of an item a text has.
Texts under 13 words have too few of them: they are known by runs of eight characters.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from shared.text.words import words_without_names

T = TypeVar("T")

SHORT_WORDS = 13
"""Words below which a text is short."""
RUN_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text and an item have in common, as shares from 0 to 1."""

    item: int
    """Place of the item in its list, from 0."""
    contained: float
    """Of the item's trigrams (of a short item: runs of characters) in the text, or of the text's in the item."""
    jaccard_8: float
    jaccard_13: float


class Overlaps:
    """An index of items. Names of variables, case and punctuation do not count."""

    def __init__(self, items: Iterable[str]) -> None:
        self._items = [words_without_names(item) for item in items]
        self._long = _Index({at: ngrams(words, 3) for at, words in enumerate(self._items) if len(words) >= SHORT_WORDS})
        self._short = _Index(
            {at: _character_runs(words) for at, words in enumerate(self._items) if len(words) < SHORT_WORDS}
        )

    def __len__(self) -> int:
        return len(self._items)

    def closest(self, text: str) -> Overlap | None:
        """The item that has most in common with a text; None when none has anything."""
        words = words_without_names(text)
        contained, item = max(
            self._long.closest(ngrams(words, 3), both=len(words) >= SHORT_WORDS),
            self._short.closest(_character_runs(words), both=False),
        )
        if not contained:
            return None
        other = self._items[item]
        return Overlap(item, contained, *(jaccard(ngrams(words, n), ngrams(other, n)) for n in (8, 13)))


class _Index:
    """Which items a gram is in."""

    def __init__(self, items: dict[int, set[int]]) -> None:
        self._sizes = {item: len(found) for item, found in items.items()}
        self._places: dict[int, tuple[int, ...]] = {}
        for item, found in items.items():
            for gram in found:
                self._places[gram] = (*self._places.get(gram, ()), item)

    def closest(self, found: set[int], *, both: bool) -> tuple[float, int]:
        """The largest share of an item's grams that are among those found, or the other way round; and the item."""
        common = Counter(item for gram in found for item in self._places.get(gram, ()))
        most = len(found) if both else max(self._sizes.values(), default=0)
        return max(((n / min(self._sizes[item], most), item) for item, n in common.items()), default=(0.0, 0))


def ngrams(words: Sequence[str], n: int) -> set[int]:
    """Hashes of the runs of n words, good for this process; none in a text of fewer words."""
    return {hash(run) for run in zip(*(words[start:] for start in range(n)), strict=False)}


def jaccard(one: Set[T], other: Set[T]) -> float:
    """Common members by all members; 0 for two empty sets."""
    return len(one & other) / (len(one | other) or 1)


def _character_runs(words: Sequence[str]) -> set[int]:
    """Hashes of the runs of characters; one for a text that is shorter than a run."""
    text = " ".join(words)
    return {hash(text[at : at + RUN_LENGTH]) for at in range(max(len(text) - RUN_LENGTH, 0) + 1)}
