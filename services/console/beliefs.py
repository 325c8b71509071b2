"""Beliefs of rows, from their lineage or their votes, kept in memory: rows have no column to filter by.

A belief follows from a row's content alone, so it is kept by the row's hash, for every version.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.dataset import Row, TableSnapshot
from shared.dataset.query import id_in
from shared.stats.item_belief import row_belief

KEPT = 200_000
"""Most beliefs that are kept."""
_EVIDENCE = ("row_hash", "problem", "answer", "answer_type", "rationale", "verdicts", "lineage")


class Beliefs:
    """Computes and keeps beliefs. Safe to use from several threads."""

    def __init__(self) -> None:
        self._by_hash: dict[str, float | None] = {}

    def of(self, rows: TableSnapshot[Row], lines: Sequence[Mapping[str, Any]]) -> list[float | None]:
        """Belief in the key of each line, which has `id` and `row_hash`; `None` where a verifier gave no verdict."""
        known = self._by_hash
        if missing := [line["id"] for line in lines if line["row_hash"] not in known]:
            computed = {row["row_hash"]: row_belief(row) for row in rows.columns(*_EVIDENCE, where=id_in(missing))}
            self._by_hash = known = {**(known if len(known) < KEPT else {}), **computed}
        return [known.get(line["row_hash"]) for line in lines]
