"""Counts different problems: those of one template count once."""

from array import array
from collections import Counter
from zlib import crc32

from rensa import RMinHash, RMinHashLSH

from shared.text.overlap import jaccard
from shared.text.quantities import read_quantities
from shared.text.words import TEMPLATE_SIMILARITY, word_pairs

PERMUTATIONS, BANDS = 64, 16
"""Of the MinHash: it finds 99 % of the statements that share TEMPLATE_SIMILARITY of their pairs."""


class Clusters:
    """Clusters of problems that share TEMPLATE_SIMILARITY of their word pairs, independent of their order.

    Numbers and names of variables are ignored. Screening calls such problems variants, if their keys differ.
    Takes about 1 kB of memory per problem.
    """

    def __init__(self) -> None:
        self._pairs: list[array[int]] = []
        """Hashes of the word pairs of each problem."""
        self._above: list[int] = []
        """Union-find forest: for each problem another one of its cluster; the root has itself."""
        self._index = RMinHashLSH(threshold=TEMPLATE_SIMILARITY, num_perm=PERMUTATIONS, num_bands=BANDS)

    def add(self, statement: str) -> None:
        """Add a problem."""
        own, number = {crc32(pair.encode()) for pair in word_pairs(read_quantities(statement).text)}, len(self._pairs)
        minhash = RMinHash(num_perm=PERMUTATIONS, seed=1)
        minhash.update(sorted(map(str, own)))
        self._above.append(number)
        for other in self._index.query(minhash):
            top = self._top(other)
            if top != number and jaccard(own, {*self._pairs[other]}) >= TEMPLATE_SIMILARITY:
                self._above[top] = number
        self._index.insert(number, minhash)
        self._pairs.append(array("I", own))

    @property
    def sizes(self) -> list[int]:
        """Number of problems in each cluster, the largest first."""
        return sorted(Counter(map(self._top, range(len(self._above)))).values(), reverse=True)

    def _top(self, number: int) -> int:
        while (above := self._above[number]) != number:
            self._above[number] = self._above[above]
            number = above
        return number
