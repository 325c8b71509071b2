"""What was refused: the key beside the other answers, and beside the problem the duplicate or the benchmark's item."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from schemas.item import Item
from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.filters import PAGE, Cursor, RejectFilter
from shared.dataset.query import sql_string
from shared.dataset.reports.rejects import rivals
from shared.stats.item_belief import complete_belief
from shared.text.benchmarks import read_questions

COLUMNS = ("id", "item_id", "subject", "topic", "service", "reason", "detail", "problem", "answer", "answer_type")
CHOICES = ("reason", "service", "subject")
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_BENCHMARK = re.compile(r"item (\d{1,9}) of (.{1,100}?):")


def show(cache: DatasetCache, query: RejectFilter, size: int = PAGE) -> dict[str, Any]:
    """One page of a list, its length, and what it may be narrowed to."""
    snapshot = cache.snapshot(query.release)
    ledger = snapshot.dataset.ledger
    where = query.page("recorded_at", query.where)
    lines = list(ledger.newest(*COLUMNS, "item", "recorded_at", at="recorded_at", limit=size + 1, where=where))

    def found() -> int:
        return ledger.counts("kind", where=query.where).total()

    def choices() -> dict[str, Counter[str]]:
        counted = {name: ledger.counts(name, where="kind = 'rejected'") for name in CHOICES}
        return {name: Counter({value: n for (value,), n in its.items() if value}) for name, its in counted.items()}

    named = referenced_items(cache, snapshot, [(line["reason"], line["detail"]) for line in lines[:size]])
    return {
        "query": query,
        "snapshot": snapshot,
        "rejects": [{**_one(line), "beside": its} for line, its in zip(lines, named, strict=False)],
        "next": str(Cursor.of(lines[size - 1], "recorded_at")) if len(lines) > size else None,
        "found": cache.cached((snapshot.key, "rejects", query.where), found),
        "choices": cache.cached((snapshot.key, "reject choices"), choices),
        "releases": cache.releases(),
    }


def _one(line: dict[str, Any]) -> dict[str, Any]:
    item = Item.model_validate_json(line["item"] or "")
    belief, hits = complete_belief(item), sum(verdict.hits for verdict in item.verdicts)
    return {**line, "hits": hits, "rivals": rivals(item.verdicts), "belief": belief and belief.key}


def referenced_items(
    cache: DatasetCache, snapshot: Snapshot, refusals: Sequence[tuple[str | None, str | None]]
) -> list[dict[str, Any] | None]:
    """What each refusal, a reason and its detail, names: another problem, or a question of a benchmark; else `None`."""
    ids = [match and match[0] for match in (_ID.search(detail or "") for _, detail in refusals)]
    problems = _problems(snapshot, {one for one in ids if one})
    return [
        problems.get(id_) if id_ else _question(cache, reason, detail or "")
        for id_, (reason, detail) in zip(ids, refusals, strict=True)
    ]


def _problems(snapshot: Snapshot, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    wanted = ", ".join(map(sql_string, ids))
    rows = snapshot.dataset.rows.columns("id", "problem", "answer", where=f"id in ({wanted})")
    entries = snapshot.dataset.ledger.columns("item_id", "problem", "answer", where=f"item_id in ({wanted})")
    found = {one["item_id"]: one for one in entries} | {one["id"]: one for one in rows}
    return {
        id_: {"id": id_, "name": None, "problem": one["problem"], "answer": one["answer"]} for id_, one in found.items()
    }


def _question(cache: DatasetCache, reason: str | None, detail: str) -> dict[str, Any] | None:
    match, plan = _BENCHMARK.search(detail), cache.plan
    if reason != "contaminated" or not match or plan is None or match[2] not in plan.benchmarks:
        return None
    name, number = match[2], int(match[1])
    known = cache.cached(("benchmark", name), lambda: read_questions(name, plan.benchmarks[name]))
    if not 0 < number <= len(known):
        return None
    return {"id": None, "name": f"item {number} of {name}", "problem": known[number - 1], "answer": None}
