"""The results of items with planted errors, and of controls.

A rate is `hits` of `n` with Wilson's 95 % interval. For defects a hit is an accepted item, for controls a rejected one,
for checks an item that the check noticed, of those on which it could decide. For two roles a hit is an item with the
same wrong answer from both, of those that both got wrong.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from schemas.audit_tag import JUDGE_DIFFERENT, JUDGE_EQUAL, AuditTag
from schemas.config.policies import Difficulty
from schemas.item import Item
from shared.audit_items import NOT_JUDGED, NOTICED, PASSED, UNABLE
from shared.dataset.build import to_item
from shared.dataset.reader import Dataset, TableSnapshot
from shared.dataset.schema import Audit
from shared.stats.error_agreement import error_agreement
from shared.stats.wilson import needed, wilson

ALL, UNKNOWN = "all", "unknown"


def count(audits: TableSnapshot[Audit], width: float | None, difficulty: Difficulty) -> dict[str, Any]:
    """Return all figures as one JSON document. Unknown is null. `difficulty` has the bins."""
    every = list(audits.columns("kind", "difficulty", "accepted", "reason", "found", "simulated"))
    ended = [line for line in every if not AuditTag(kind=line["kind"]).of_judge]
    lines = [line for line in ended if line["reason"] != NOT_JUDGED]
    controls = [line for line in lines if AuditTag(kind=line["kind"]).control]
    defects = [line for line in lines if not AuditTag(kind=line["kind"]).control]
    checks = dict.fromkeys(check for line in lines for check in json.loads(line["found"]))
    return {
        "audits": len(lines),
        "not_judged": len(ended) - len(lines),
        "simulated": sum(line["simulated"] for line in every),
        "let_through": _rates(((line["kind"], line["accepted"]) for line in defects), width),
        "by_difficulty": _rates(
            ((difficulty.bin(line["difficulty"]) or UNKNOWN, line["accepted"]) for line in defects),
            width,
            [*difficulty.bins, UNKNOWN],
        ),
        "falsely_rejected": _rates(((line["kind"], not line["accepted"]) for line in controls), width),
        "noticed": {check: _noticed(check, defects, width) for check in sorted(checks)},
        "false_alarms": {check: _noticed(check, controls, width) for check in sorted(checks)},
        "judge": {
            "called equal, but different": _judge(JUDGE_DIFFERENT, PASSED, every, width),
            "called different, but equal": _judge(JUDGE_EQUAL, NOTICED, every, width),
        },
    }


def error_overlap(dataset: Dataset) -> dict[str, Any]:
    """Count the same wrong answers by pairs of roles, over all rows and all rejected items."""
    rejected = dataset.ledger.columns("item", where="kind = 'rejected'")
    items = chain(map(to_item, dataset.rows), (Item.model_validate_json(line["item"]) for line in rejected))
    report = error_agreement(items)
    pairs = (report.verifiers, *report.with_solver)
    rates = {" and ".join(pair.roles): _rate(pair.same, pair.both_wrong, None) for pair in pairs}
    return {"suspicious": report.suspicious, "pairs": rates}


def _rates(
    outcomes: Iterable[tuple[str, bool]], width: float | None, order: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the rate of hits by name, and of all. `outcomes` are names, each with whether it is a hit."""
    counts = Counter(outcomes)
    present = {name for name, _ in counts}
    names = [name for name in order if name in present] if order else sorted(present)
    rates = {name: _rate(counts[name, True], counts[name, True] + counts[name, False], width) for name in names}
    return {**rates, ALL: _rate(sum(n for (_, hit), n in counts.items() if hit), counts.total(), width)}


def _rate(hits: int, n: int, width: float | None) -> dict[str, Any]:
    low, high = wilson(hits, n)
    rate = {"hits": hits, "n": n, "rate": hits / n if n else None, "low": low, "high": high}
    return rate if width is None else {**rate, "needed": needed(hits / n, width) if n else None}


def _noticed(check: str, lines: Iterable[Mapping[str, Any]], width: float | None) -> dict[str, Any]:
    results = Counter(json.loads(line["found"]).get(check) for line in lines)
    return {**_rate(results[NOTICED], results[NOTICED] + results[PASSED], width), "unable": results[UNABLE]}


def _judge(kind: str, wrong: str, lines: Iterable[Mapping[str, Any]], width: float | None) -> dict[str, Any]:
    """Wrong verdicts of the judge of answers on pairs of one kind, of those that it decided."""
    found = Counter(word for line in lines if line["kind"] == kind for word in json.loads(line["found"]).values())
    return {**_rate(found[wrong], found[NOTICED] + found[PASSED], width), "unable": found[UNABLE]}
