"""Which items are worth a person's look: those of which it is most doubtful whether the key is right.

A look is worth the chance that it changes something: min(p, 1 − p), where p is the item's belief, or else what its
blind votes alone say, (hits + 1) / (votes + 2).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.item import Item, Verdict
from services.console.dataset_cache import DatasetCache, Snapshot
from shared.dataset.reports.rejects import rivals
from shared.stats.item_belief import complete_belief, row_belief

COLUMNS = ("subject", "topic", "problem", "answer", "answer_type")
LOOKED_AT = 2000
"""Rows, and rejected problems, that are weighed: the latest."""
SHOWN = 50
DOUBTED = "kind = 'rejected' and reason in ('key_disputed', 'unsolved')"
KEPT = "tier <> 'verified'"


def show(cache: DatasetCache, release: str = "now") -> dict[str, Any]:
    """The most doubtful items first."""
    snapshot = cache.snapshot(release)
    found = cache.cached((snapshot.key, "review"), lambda: sorted(_items(snapshot), key=lambda one: -one["value"]))
    return {"snapshot": snapshot, "items": found[:SHOWN], "weighed": len(found), "looked_at": LOOKED_AT}


def _items(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    names: tuple[str, ...] = (*COLUMNS, "id", "tier", "tier_reason", "rationale", "verdicts", "lineage")
    for row in snapshot.dataset.rows.newest(*names, at="curated_at", limit=LOOKED_AT, where=KEPT):
        verdicts = [Verdict.model_validate(one) for one in json.loads(row["verdicts"])]
        yield _weighed(row, verdicts, row["id"], f"kept as {row['tier']}", row["tier_reason"], row_belief(row))
    names = (*COLUMNS, "item_id", "reason", "detail", "item")
    for line in snapshot.dataset.ledger.newest(*names, at="recorded_at", limit=LOOKED_AT, where=DOUBTED):
        item = Item.model_validate_json(line["item"] or "")
        whole, why = complete_belief(item), line["detail"]
        belief = whole.key if whole else None
        yield _weighed(line, item.verdicts, line["item_id"], f"refused: {line['reason']}", why, belief)


def _weighed(
    line: dict[str, Any], verdicts: Iterable[Verdict], id_: str, fate: str, why: str | None, belief: float | None
) -> dict[str, Any]:
    votes = [vote for verdict in verdicts for vote in verdict.votes if vote.answer]
    hits = sum(vote.agrees == "yes" for vote in votes)
    against = rivals(verdicts)
    chance = (hits + 1) / (hits + sum(against.values()) + 2) if belief is None else belief
    return {
        **{name: line[name] for name in COLUMNS},
        "id": id_,
        "fate": fate,
        "why": why,
        "hits": hits,
        "rivals": against,
        "chance": chance,
        "believed": belief is not None,
        "value": min(chance, 1 - chance),
    }
