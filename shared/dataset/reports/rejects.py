"""What was rejected, and why."""

from collections import Counter
from collections.abc import Iterable
from heapq import nlargest
from typing import Any

from schemas.item import Item, Verdict
from shared.dataset.query import id_in, sql_string
from shared.dataset.reader import Dataset
from shared.dataset.schema import Entry
from shared.stats.item_belief import complete_belief


def list_rejects(dataset: Dataset, reason: str | None, subject: str | None, limit: int) -> dict[str, Any]:
    """Return the numbers by reason, and the latest items, as one JSON document."""
    filters = {"kind": "rejected", "reason": reason, "subject": subject}
    where = " and ".join(f"{name} = {sql_string(value)}" for name, value in filters.items() if value)
    lines = list(dataset.ledger.columns("id", "reason", "recorded_at", where=where))
    latest = nlargest(limit, lines, key=lambda line: (line["recorded_at"], line["id"]))
    by_id = {entry.id: entry for entry in dataset.ledger.select(id_in(line["id"] for line in latest))}
    return {
        "by_reason": dict(Counter(line["reason"] for line in lines).most_common()),
        "rejects": [_describe(by_id[line["id"]]) for line in latest],
    }


def _describe(entry: Entry) -> dict[str, Any]:
    item = Item.model_validate_json(entry.item or "")
    belief = complete_belief(item)
    return {
        "id": entry.item_id,
        "subject": entry.subject,
        "topic": entry.topic,
        "service": entry.service,
        "reason": entry.reason,
        "detail": entry.detail,
        "problem": entry.problem,
        "key": entry.answer,
        "hits": sum(verdict.hits for verdict in item.verdicts),
        "rivals": rivals(item.verdicts),
        "belief": belief and belief.key,
        "belief_required": belief and belief.required,
        "cost": entry.cost,
        "recorded_at": entry.recorded_at,
    }


def rivals(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Every other answer of a blind attempt, with its votes."""
    against = (vote.answer for verdict in verdicts for vote in verdict.votes if vote.agrees == "no" and vote.answer)
    return dict(Counter(against).most_common())
