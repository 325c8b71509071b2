"""One item, kept or refused: why it is believed, the answers, the thinking, and where it came from."""

import re
from typing import Any

from schemas.item import Item, Judgement
from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.pages.prompts import shipped
from services.console.pages.rejects import referenced_items
from shared.dataset import ItemRecords, build
from shared.dataset.reports.rejects import rivals
from shared.errors import Refusal
from shared.stats.item_belief import complete_belief

ID = re.compile(r"[0-9a-fA-F-]{1,36}")
LANDED = {"yes": "lands on the key", "no": "misses the key", "unsure": "cannot be compared", None: "not checked"}
CORRECT = {True: "lands on the key", False: "misses the key", None: "cannot be compared with the key"}


def show(cache: DatasetCache, id_: str, release: str = "now") -> dict[str, Any]:
    """Everything known of an item by its id, or how that begins. Raises Refusal when it is none, or ambiguous."""
    snapshot = cache.snapshot(release)
    return of(cache, snapshot, snapshot.dataset.get(checked(id_)))


def checked(id_: str) -> str:
    """An id, or how one begins. Raises Refusal for what cannot be one."""
    if not ID.fullmatch(id_):
        raise Refusal(f"{id_[:40]!r} is not an id", "The lists of samples and rejects have ids")
    return id_


def of(cache: DatasetCache, snapshot: Snapshot, found: ItemRecords) -> dict[str, Any]:
    """What the page shows of a found item."""
    entries, item = found.entries, found.item
    rejected = next((one for one in reversed(entries) if one.kind == "rejected"), None)
    belief = complete_belief(item) if item else None
    chosen = build.choose_attempt(item.attempts) if item and item.attempts else None
    if item and found.row:
        text = (found.row.reasoning, found.row.solution)
        chosen = next((one for one in item.attempts if (one.reasoning, one.solution) == text), chosen)
    return {
        "snapshot": snapshot,
        "id": found.row.id if found.row else entries[0].item_id,
        "row": found.row,
        "entries": entries,
        "rejected": rejected,
        "item": item,
        "chosen": chosen,
        "others": [one for one in item.attempts if one is not chosen] if item else [],
        "rivals": rivals(item.verdicts) if item else {},
        "points": _points(item) if item else [],
        "referenced": referenced_items(cache, snapshot, [(rejected.reason, rejected.detail)])[0] if rejected else None,
        "belief": belief and belief.key,
        "simulated": any(call.simulated for call in item.calls) if item else False,
        "prompts": shipped(),
        "landed": LANDED,
        "correct": CORRECT,
    }


def _points(item: Item) -> list[str]:
    """Names of the points that a verifier judges, in order, when one has."""
    judged = any(verdict.judgement for verdict in item.verdicts)
    return [name for name, field in Judgement.model_fields.items() if field.annotation is bool] if judged else []
