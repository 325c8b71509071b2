"""The ends of problems, from the dataset."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.dataset import Dataset
from shared.dataset.query import id_in
from shared.dataset.storage import Location

_FINAL = "kind in ('rejected', 'deleted')"
"""Lines of the ledger that end a problem."""


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """How a problem ended, and what it cost. Unknown is `None`."""

    end: str
    """Its views or its admission, rejected, or deleted."""
    reason: str | None = None
    """Its tier, or the reason of the rejection."""
    detail: str | None = None
    tokens: int | None = None
    cost: float | None = None

    def __str__(self) -> str:
        return f"rejected: {self.reason}" if self.end == "rejected" else self.end


def find_ends(dataset: Location, ids: Iterable[str]) -> dict[str, ItemEnd]:
    """Return the ends of those of some problems that have ended."""
    if not (ids := set(ids)) or not Dataset.exists(dataset):
        return {}
    opened = Dataset.open(dataset)
    columns = ("item_id", "kind", "reason", "detail", "tokens", "cost")
    ledger = opened.ledger.columns(*columns, where=f"{_FINAL} and {id_in(ids, 'item_id')}")
    ends = {
        line["item_id"]: ItemEnd(line["kind"], line["reason"], line["detail"], line["tokens"], line["cost"])
        for line in ledger
    }
    rows = opened.rows.columns("id", "admission", "views", "tier", "tier_reason", "tokens", "cost", where=id_in(ids))
    for row in rows:
        end = ", ".join(row["views"]) or row["admission"]
        ends[row["id"]] = ItemEnd(end, row["tier"], row["tier_reason"], row["tokens"], row["cost"])
    return ends


def ended_ids(dataset: Location) -> set[str]:
    """Return the ids of all problems that have ended."""
    if not Dataset.exists(dataset):
        return set()
    opened = Dataset.open(dataset)
    rows = {row["id"] for row in opened.rows.columns("id")}
    return rows | {line["item_id"] for line in opened.ledger.columns("item_id", where=_FINAL)}
