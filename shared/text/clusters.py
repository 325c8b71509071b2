"""Counts different problems: those of one template count once."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from rensa import RMinHash

from shared.text.overlap import jaccard
from shared.text.quantities import read_quantities
from shared.text.words import TEMPLATE_SIMILARITY, word_pairs

PERMUTATIONS, BANDS = 64, 16
"""Of the MinHash: it finds 99 % of the statements that share TEMPLATE_SIMILARITY of their pairs."""

HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of a problem: hashes of four bytes, a few hundred bytes in all. It can be stored."""

    pairs: bytes
    """Of its word pairs, without numbers and names of variables, in order."""
    bands: bytes
    """Of the bands of their MinHash: similar problems have one in common."""


def make_sketch(statement: str) -> Sketch:
    """Return the sketch of a problem."""
    own = sorted({crc32(pair.encode()) for pair in word_pairs(read_quantities(statement).text)})
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=1)
    minhash.update(sorted(map(str, own)))
    digest, rows = array("I", minhash.digest()).tobytes(), PERMUTATIONS // BANDS * HASH_BYTES
    bands = (crc32(digest[start : start + rows]) for start in range(0, len(digest), rows))
    return Sketch(array("I", own).tobytes(), array("I", bands).tobytes())


class Clusters:
    """Clusters of problems that share TEMPLATE_SIMILARITY of their word pairs, independent of their order.

    Screening calls such problems variants, if their keys differ. Problems with equal pairs are one node, and a node is
    not compared with those of its own cluster: the work does not grow with the clusters. A node takes about 0.6 kB.
    """

    def __init__(self) -> None:
        self._pairs: list[bytes] = []
        """Pairs of each node."""
        self._nodes: dict[bytes, int] = {}
        """Node of each set of pairs."""
        self._problems = array("Q")
        """Number of problems of each node."""
        self._bands = array("I")
        """Bands of all nodes, one after the other."""
        self._sizes: list[int] | None = None

    def add(self, statement: str) -> None:
        """Add a problem."""
        self.add_sketch(make_sketch(statement))

    def add_sketch(self, sketch: Sketch) -> None:
        """Add a problem by its sketch."""
        self._sizes = None
        node = self._nodes.get(sketch.pairs)
        if node is not None:
            self._problems[node] += 1
            return
        if sketch.pairs:  # without pairs it is like no other
            self._nodes[sketch.pairs] = len(self._pairs)
        self._pairs.append(sketch.pairs)
        self._problems.append(1)
        self._bands.frombytes(sketch.bands)

    @property
    def sizes(self) -> list[int]:
        """Number of problems in each cluster, the largest first."""
        if self._sizes is None:
            forest, sizes = self._link(), Counter[int]()
            for node, problems in enumerate(self._problems):
                sizes[forest.top(node)] += problems
            self._sizes = sorted(sizes.values(), reverse=True)
        return self._sizes

    def _link(self) -> "_Forest":
        forest = _Forest(len(self._pairs))
        for band in range(BANDS):
            for nodes in _equal(self._bands[band::BANDS]):
                clusters: dict[int, list[int]] = {}
                for node in nodes:
                    for other, members in clusters.items():
                        if forest.top(other) != forest.top(node) and self._is_like(node, members):
                            forest.join(node, other)
                    clusters.setdefault(forest.top(node), []).append(node)
        return forest

    def _is_like(self, node: int, others: Iterable[int]) -> bool:
        own = {*array("I", self._pairs[node])}
        return any(jaccard(own, {*array("I", self._pairs[other])}) >= TEMPLATE_SIMILARITY for other in others)


class _Forest:
    """Disjoint sets of the numbers below a size (union-find)."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def top(self, number: int) -> int:
        """Return the number that stands for a set."""
        while (above := self._above[number]) != number:
            self._above[number] = self._above[above]
            number = above
        return number

    def join(self, one: int, other: int) -> None:
        """Unite the sets of two numbers. The set of `other` keeps its top."""
        self._above[self.top(one)] = self.top(other)


def _equal(values: Iterable[int]) -> Iterable[list[int]]:
    """Return the places of each value that occurs more than once."""
    first, more = dict[int, int](), dict[int, list[int]]()
    for place, value in enumerate(values):
        before = first.setdefault(value, place)
        if before != place:
            more.setdefault(value, [before]).append(place)
    return more.values()
