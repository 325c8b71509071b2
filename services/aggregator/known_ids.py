"""The ids of a table's lines, in little memory: 8 bytes a line, loaded in 0.3 s a million."""

from collections.abc import Iterable

import numpy as np

from shared.dataset import Table
from shared.dataset.query import id_in

_FOLD = 4096
"""Added ids after which the sorted array is made anew."""


class KnownIds:
    """The first 64 bits of each id. Two ids may share them: the table itself decides about an id that it may have."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._numbers = np.sort(np.frombuffer(table.id_prefixes(), dtype=">u8").astype(np.uint64))
        self._added = set[int]()

    def add(self, id_: str) -> None:
        """Add the id of a line that was appended."""
        self._added.add(_number(id_))
        if len(self._added) >= _FOLD:
            added = np.fromiter(self._added, dtype=np.uint64, count=len(self._added))
            self._numbers = np.sort(np.concatenate([self._numbers, added]))
            self._added.clear()

    def among(self, ids: Iterable[str]) -> set[str]:
        """Return which of these ids the table has. Raises Transient when it cannot be read."""
        possible = [id_ for id_ in ids if self._may_have(_number(id_))]
        return {line["id"] for line in self._table.read(["id"], id_in(possible))} if possible else set()

    def _may_have(self, number: int) -> bool:
        at = int(np.searchsorted(self._numbers, np.uint64(number)))
        return number in self._added or (at < len(self._numbers) and int(self._numbers[at]) == number)


def _number(id_: str) -> int:
    return int(id_.replace("-", "")[:16], 16)
