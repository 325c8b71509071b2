"""`chimera dataset rejects`: rejected items and their reasons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import Any

from rich.console import Console, Group
from rich.rule import Rule

from schemas.item import Item
from services.cli.common.sanitize_terminal import as_text
from services.cli.dataset.stats import counts_table
from shared.dataset import Dataset, Entry
from shared.dataset.query import id_in, sql_string
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
    against = [
        vote.answer for verdict in item.verdicts for vote in verdict.votes if vote.agrees == "no" and vote.answer
    ]
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
        "rivals": dict(Counter(against).most_common()),
        "belief": belief and belief.key,
        "cost": entry.cost,
        "recorded_at": entry.recorded_at,
    }


def render(document: Mapping[str, Any]) -> None:
    """Print the items for a person."""
    console = Console()
    if not document["by_reason"]:
        console.print("No rejected items match.")
        return
    console.print(counts_table("Rejected", document["by_reason"]))
    for one in document["rejects"]:
        console.print(Group(*_about(one)), soft_wrap=True)
    if (hidden := sum(document["by_reason"].values()) - len(document["rejects"])) > 0:
        console.print(f"{hidden:,} more: --limit {hidden + len(document['rejects'])}", style="dim")


def _about(one: Mapping[str, Any]) -> Sequence[Any]:
    lines = [
        Rule(as_text(f"{one['id']}  {one['reason']}"), align="left"),
        as_text(f"{one['subject']} › {one['topic']}; {one['service']}: {one['detail']}", "dim"),
        as_text(one["problem"] or "no problem was written"),
    ]
    if one["key"] is not None:
        belief = "" if one["belief"] is None else f"; belief {one['belief']:.3f}"
        lines.append(as_text(f"key    {one['key']}  (found blind ×{one['hits']}{belief})", "bold"))
    return [*lines, *(as_text(f"blind  {answer}  ×{votes}") for answer, votes in one["rivals"].items())]
