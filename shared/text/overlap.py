"""Overlap of a text with many others, by n-grams of words in an in-memory inverted index.

The CHIMERA paper (arXiv:2603.00889) and others publish Jaccard indices for n = 8 and 13. One edited word breaks n
n-grams, so a lightly edited text keeps few of these; the share of an item's trigrams in the text detects it best. Texts
under 13 words have too few trigrams and are compared by runs of eight characters.
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
TRIGRAMS_OF_EIGHT = 6
"""Trigrams in a run of eight words."""
LEAST_SHARE = 0.5
"""Share of the n-grams from which an item is notable without such a run."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap of a text and an item, as shares from 0 to 1."""

    item: int
    """Index of the item in its list, from 0."""
    contained: float
    """Share of the item's trigrams (of a short item: character runs) in the text, or of the text's in the item."""
    jaccard_8: float
    jaccard_13: float


class Overlaps:
    """An index of items. Names of variables, case and punctuation are ignored."""

    def __init__(self, items: Iterable[str]) -> None:
        self._items = [words_without_names(item) for item in items]
        self._long = _Index({at: ngrams(words, 3) for at, words in enumerate(self._items) if len(words) >= SHORT_WORDS})
        self._short = _Index(
            {at: _character_runs(words) for at, words in enumerate(self._items) if len(words) < SHORT_WORDS}
        )

    def __len__(self) -> int:
        return len(self._items)

    def closest(self, text: str) -> Overlap | None:
        """Return the item that overlaps most with a text; None when none overlaps."""
        words = words_without_names(text)
        contained, item = max(
            self._long.closest(ngrams(words, 3), both=len(words) >= SHORT_WORDS),
            self._short.closest(_character_runs(words), both=False),
        )
        if not contained:
            return None
        return self._overlap(words, item, contained)

    def notable(self, text: str) -> list[Overlap]:
        """Return every item that may share a run of eight words or half of the trigrams with a text."""
        words = words_without_names(text)
        shares = self._long.shares(ngrams(words, 3), both=len(words) >= SHORT_WORDS)
        shares |= self._short.shares(_character_runs(words), both=False)
        return [
            self._overlap(words, item, share)
            for item, (share, common) in shares.items()
            if share > LEAST_SHARE or common >= TRIGRAMS_OF_EIGHT
        ]

    def _overlap(self, words: Sequence[str], item: int, contained: float) -> Overlap:
        other = self._items[item]
        return Overlap(item, contained, *(jaccard(ngrams(words, n), ngrams(other, n)) for n in (8, 13)))


class _Index:
    """Inverted index: the items that contain an n-gram."""

    def __init__(self, items: dict[int, set[int]]) -> None:
        self._sizes = {item: len(grams) for item, grams in items.items()}
        self._places: dict[int, tuple[int, ...]] = {}
        for item, grams in items.items():
            for gram in grams:
                self._places[gram] = (*self._places.get(gram, ()), item)

    def closest(self, grams: set[int], *, both: bool) -> tuple[float, int]:
        """Return the largest share of an item's n-grams in the given ones (`both`: or the reverse), and the item."""
        shares = self.shares(grams, both=both)
        return max(((share, item) for item, (share, _) in shares.items()), default=(0.0, 0))

    def shares(self, grams: set[int], *, both: bool) -> dict[int, tuple[float, int]]:
        """Return share and number of the common n-grams of each item that has any."""
        common = Counter(item for gram in grams for item in self._places.get(gram, ()))
        most = len(grams) if both else max(self._sizes.values(), default=0)
        return {item: (n / min(self._sizes[item], most), n) for item, n in common.items()}


def ngrams(words: Sequence[str], n: int) -> set[int]:
    """Hashes of the runs of n words, valid in this process only; none for a text of fewer words."""
    return {hash(run) for run in zip(*(words[start:] for start in range(n)), strict=False)}


def jaccard(one: Set[T], other: Set[T]) -> float:
    """Size of the intersection divided by that of the union; 0 for two empty sets."""
    return len(one & other) / (len(one | other) or 1)


def _character_runs(words: Sequence[str]) -> set[int]:
    """Hashes of the runs of characters; one hash for a text shorter than a run."""
    text = " ".join(words)
    return {hash(text[at : at + RUN_LENGTH]) for at in range(max(len(text) - RUN_LENGTH, 0) + 1)}
