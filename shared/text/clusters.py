"""How many different problems are among some: those of one template count once."""

from array import array
from collections import Counter
from zlib import crc32

from rensa import RMinHash, RMinHashLSH

from shared.text.overlap import jaccard
from shared.text.quantities import read_quantities
from shared.text.words import TEMPLATE_SIMILARITY, word_pairs

PERMUTATIONS, BANDS = 64, 16
"""Of the MinHash that finds candidates: statements that share SIMILAR of their pairs meet with a chance of 99 %."""


class Clusters:
    """Problems, joined to all that share SIMILAR of their pairs of words, in whatever order they come.

    Numbers and names of variables do not count. It is what screening calls a variant, without regard to the key.
    About a kilobyte a problem.
    """

    def __init__(self) -> None:
        self._pairs: list[array[int]] = []
        """Hashes of the pairs of each problem."""
        self._above: list[int] = []
        """For each problem another one of its cluster; the one that has itself stands for the cluster."""
        self._index = RMinHashLSH(threshold=TEMPLATE_SIMILARITY, num_perm=PERMUTATIONS, num_bands=BANDS)

    def add(self, statement: str) -> None:
        """Take in one more."""
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
        """Problems of each cluster, the largest first."""
        return sorted(Counter(map(self._top, range(len(self._above)))).values(), reverse=True)

    def _top(self, number: int) -> int:
        while (above := self._above[number]) != number:
            self._above[number] = self._above[above]
            number = above
        return number
