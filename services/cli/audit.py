"""chimera audit: what became of items that were broken on purpose, and of controls.

A rate is `hits` of `n` with Wilson's 95 % interval: for defects a hit is an item that was let through, for controls one
that was rejected, for checks an item that was noticed, of those about which the check could tell. For two roles it is
an item of which both gave the same wrong answer, of those that both got wrong.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.audit_tag import JUDGE_DIFFERENT, JUDGE_EQUAL, AuditTag
from schemas.item import Item
from services.cli.common.difficulty_bins import BINS, bin_of
from services.cli.common.sanitize_terminal import as_text
from shared.audit_items import NOTICED, PASSED, UNABLE
from shared.dataset import Audit, Dataset, Part
from shared.dataset.build import item as item_of
from shared.stats.error_agreement import error_agreement
from shared.stats.wilson import needed, wilson

ALL = "all"
SIMULATED = "SIMULATED: these rates prove the arithmetic, not the models."
BOUND = "Natural errors are subtler than planted ones: take what is let through here as the least."

SUSPICIOUS = (
    "The verifiers err more alike with each other than with the solver: are they one model behind two names? Then "
    "their two verdicts are one. See endpoints and models with `chimera check models`."
)

SHOWN = (
    ("Broken items, by kind of defect", "let through", "let_through"),
    ("Broken items, by difficulty", "let through", "by_difficulty"),
    ("Broken items, by check", "noticed", "noticed"),
    ("Controls", "rejected", "falsely_rejected"),
    ("Controls, by check", "noticed", "false_alarms"),
    ("The judge of answers, on pairs that the rules decided", "wrong", "judge"),
)
"""Title, what is counted, which part of the document."""


def count(audits: Part[Audit], width: float | None) -> dict[str, Any]:
    """All figures, as one JSON document. Unknown is null."""
    every = list(audits.columns("kind", "difficulty", "accepted", "found", "simulated"))
    lines = [line for line in every if not AuditTag(kind=line["kind"]).of_judge]
    controls = [line for line in lines if AuditTag(kind=line["kind"]).control]
    defects = [line for line in lines if not AuditTag(kind=line["kind"]).control]
    checks = dict.fromkeys(check for line in lines for check in json.loads(line["found"]))
    return {
        "audits": len(lines),
        "simulated": sum(line["simulated"] for line in every),
        "let_through": _rates(((line["kind"], line["accepted"]) for line in defects), width),
        "by_difficulty": _rates(((bin_of(line["difficulty"]), line["accepted"]) for line in defects), width),
        "falsely_rejected": _rates(((line["kind"], not line["accepted"]) for line in controls), width),
        "noticed": {check: _noticed(check, defects, width) for check in sorted(checks)},
        "false_alarms": {check: _noticed(check, controls, width) for check in sorted(checks)},
        "judge": {
            "called equal, but different": _judge(JUDGE_DIFFERENT, PASSED, every, width),
            "called different, but equal": _judge(JUDGE_EQUAL, NOTICED, every, width),
        },
    }


def alike(dataset: Dataset) -> dict[str, Any]:
    """How alike the roles err, over all rows and all that was rejected."""
    rejected = dataset.ledger.columns("item", where="kind = 'rejected'")
    items = chain(map(item_of, dataset.rows), (Item.model_validate_json(line["item"]) for line in rejected))
    report = error_agreement(items)
    pairs = (report.verifiers, *report.with_solver)
    rates = {" and ".join(pair.roles): _rate(pair.same, pair.both_wrong, None) for pair in pairs}
    return {"suspicious": report.suspicious, "pairs": rates}


def _rates(told: Iterable[tuple[str, bool]], width: float | None) -> dict[str, dict[str, Any]]:
    counts = Counter(told)
    names = sorted({name for name, _ in counts}, key=lambda name: (BINS.index(name) if name in BINS else 0, name))
    rates = {name: _rate(counts[name, True], counts[name, True] + counts[name, False], width) for name in names}
    return {**rates, ALL: _rate(sum(n for (_, hit), n in counts.items() if hit), counts.total(), width)}


def _rate(hits: int, n: int, width: float | None) -> dict[str, Any]:
    low, high = wilson(hits, n)
    told = {"hits": hits, "n": n, "rate": hits / n if n else None, "low": low, "high": high}
    return told if width is None else {**told, "needed": needed(hits / n, width) if n else None}


def _noticed(check: str, lines: Iterable[Mapping[str, Any]], width: float | None) -> dict[str, Any]:
    found = Counter(json.loads(line["found"]).get(check) for line in lines)
    return {**_rate(found[NOTICED], found[NOTICED] + found[PASSED], width), "unable": found[UNABLE]}


def _judge(kind: str, wrong: str, lines: Iterable[Mapping[str, Any]], width: float | None) -> dict[str, Any]:
    """Wrong verdicts of the judge of answers on pairs of one kind, of those that it decided."""
    found = Counter(word for line in lines if line["kind"] == kind for word in json.loads(line["found"]).values())
    return {**_rate(found[wrong], found[NOTICED] + found[PASSED], width), "unable": found[UNABLE]}


def render(counted: Mapping[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console(highlight=False)
    if counted["simulated"]:
        console.print(SIMULATED, style="bold yellow")
    for title, hits, part in SHOWN:
        console.print(_table(title, hits, counted[part]), "")
    console.print(BOUND, style="dim", soft_wrap=True)
    agreed = counted["agreement"]
    console.print("", _table("The same wrong answer, where both were wrong", "same", agreed["pairs"]))
    if agreed["suspicious"]:
        console.print(SUSPICIOUS, style="bold yellow", soft_wrap=True)


def _table(title: str, hits: str, rates: Mapping[str, Mapping[str, Any]]) -> Table:
    one = next(iter(rates.values()), {})
    more = [key for key in ("unable", "needed") if key in one]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True, min_width=18)
    for name in (hits, "of", "rate", "95 % interval", *more):
        table.add_column(name, justify="right", no_wrap=True)
    for name, rate in rates.items():
        share = "" if rate["rate"] is None else f"{rate['rate']:.1%}"
        interval = f"{rate['low']:.1%} to {rate['high']:.1%}" if rate["n"] else ""
        extra = ("" if rate[key] is None else f"{rate[key]:,}" for key in more)
        table.add_row(as_text(name), f"{rate['hits']:,}", f"{rate['n']:,}", share, interval, *extra)
    return table
