"""The table of reverifications, and which rows they move.

A row moves when the plan admits it by the evidence of before and the new one to other views. It leaves `in` when it
loses the view sft, and enters `in` when it gains that view and there is room; otherwise it keeps its admission.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.config.policies import Verification
from schemas.events import ProblemReverified
from services.aggregator.events import is_apart
from services.aggregator.policy import ASIDE, IN, RESERVE, Quotas, assign_views, imported_views
from shared.dataset import Table, build
from shared.dataset.query import id_in
from shared.dataset.split import TRAIN
from shared.ports import Record


@dataclass(frozen=True, slots=True)
class Move:
    """The views and the admission of a row, before and after."""

    row: dict[str, Any]
    """The row as it was."""
    views: tuple[str, ...]
    admission: str

    @property
    def after(self) -> dict[str, Any]:
        """The row as it is then."""
        return {**self.row, "views": self.views, "admission": self.admission}

    @property
    def leaves(self) -> bool:
        """Whether it no longer counts towards the target."""
        return bool(self.row["admission"] == IN != self.admission)


class Reverified:
    """The table and its ids."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.reload()

    def reload(self) -> None:
        """Load the commits of other writers."""
        self.table.reload()
        self._ids = {line["id"] for line in self.table.read(["id"])}

    def new(self, records: Sequence[Record]) -> list[tuple[Record, ProblemReverified]]:
        """Return the records that are not in the table, each item once."""
        found: dict[str, tuple[Record, ProblemReverified]] = {}
        for record in records:
            event = record.event
            if isinstance(event, ProblemReverified) and str(event.item.id) not in self._ids:
                found.setdefault(str(event.item.id), (record, event))
        return list(found.values())

    def append(self, records: Sequence[Record], now: datetime) -> None:
        """Append the new ones with the watermark. Raises as `Table.append`."""
        judged = [record for record in records if isinstance(record.event, ProblemReverified)]
        if not judged:
            return
        lines = [build.to_reverification(record, event, now) for record, event in self.new(judged)]
        self.table.append(lines, self.table.watermarks(judged), {})
        self._ids |= {line.id for line in lines}


def decide_move(row: dict[str, Any], event: ProblemReverified, policy: Verification, quotas: Quotas) -> Move | None:
    """Return how a row moves; `None` when it stays as it is. A row of the held-out split has no view."""
    if event.run.compare or row["split"] != TRAIN:
        return None
    tier = event.item.tier if event.accepted else None
    entered = assign_views(policy, tier, row["correct"], row["flaws"], event.item.belief)
    if is_apart(row):
        views = imported_views(entered)
        return None if views == tuple(row["views"]) else Move(row, views, row["admission"])
    if "sft" in row["views"] and "sft" not in entered:
        return Move(row, entered, ASIDE)
    if "sft" in entered and row["admission"] == ASIDE:
        admission = quotas.admit(row["subject"], entered, row["difficulty"])
        return None if admission == RESERVE else Move(row, entered, IN)
    return None if entered == tuple(row["views"]) else Move(row, entered, row["admission"])


def updates(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return SQL expressions that give these rows their views and admissions, and leave others alone."""
    groups: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for row in rows:
        groups.setdefault((tuple(row["views"]), row["admission"]), []).append(row["id"])
    cases = [(id_in(ids), _array(views), f"'{admission}'") for (views, admission), ids in groups.items()]
    return {
        "views": f"case {' '.join(f'when {ids} then {views}' for ids, views, _ in cases)} else views end",
        "admission": f"case {' '.join(f'when {ids} then {one}' for ids, _, one in cases)} else admission end",
    }


def _array(views: Sequence[str]) -> str:
    return f"arrow_cast(make_array({', '.join(map(repr, views))}), 'List(Utf8)')"
