"""What a run of `chimera reverify` found: outcomes, belief, and whether old and new verifiers agree."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from schemas.outcomes import Admission
from schemas.spend import sum_or_none
from services.cli.evidence.figures import difference, mean_interval, percent, spent
from shared.dataset import Dataset, TableSnapshot, open_reverifications
from shared.dataset.query import id_in, sql_string
from shared.dataset.storage import Location
from shared.stats.wilson import wilson

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverifyReport:
    """The numbers of a run. Every item was accepted or rejected before, and is accepted or rejected now."""

    run: str
    compare: bool
    items: int
    kept: int
    """Accepted before and now."""
    lost: int
    """Accepted before, rejected now."""
    gained: int
    """Rejected before, accepted now: they stay rejected, and are marked here."""
    still_rejected: int
    left_in: int
    """Rows that were `in` and are not any more."""
    entered_in: int
    """Rows that were not `in` and are now."""
    belief_before: float | None
    """Mean belief in the key."""
    belief_now: float | None
    hits_before: float | None
    """Mean share of an item's blind votes that gave the key."""
    hits_new: float | None
    difference: float | None
    """Mean of hits_new − hits_before over the same items, with its 95 % interval."""
    low: float | None
    high: float | None
    paired: int
    """Items with votes of both."""
    agree: int
    """Paired items on which the majority of both is for the key, or of both is not."""
    agree_low: float
    agree_high: float
    tokens: int | None
    cost: float | None
    examples: Sequence[Mapping[str, str]]
    """Items whose outcome changed: id, before, now, why."""


def report(dataset: Location, run: str) -> ReverifyReport | None:
    """Return the report of a run; `None` when no item of it has ended."""
    table = open_reverifications(dataset)
    lines = [] if table is None else list(_lines(table, run))
    if not lines:
        return None
    now = _admissions(dataset, [line["item_id"] for line in lines])
    outcomes = [(line["believed_before"], line["accepted"]) for line in lines]
    pairs = [pair for line in lines if (pair := _hits(line))]
    differences = [new - before for before, new in pairs]
    mean, half = mean_interval(differences)
    agree = sum((before > 0.5) == (new > 0.5) for before, new in pairs)
    changed = [line for line in lines if line["believed_before"] != line["accepted"]]
    low, high = wilson(agree, len(pairs))
    return ReverifyReport(
        run=run,
        compare=all(line["compare"] for line in lines),
        items=len(lines),
        kept=outcomes.count((True, True)),
        lost=outcomes.count((True, False)),
        gained=outcomes.count((False, True)),
        still_rejected=outcomes.count((False, False)),
        left_in=sum(_was_in(one) and now.get(one["item_id"]) not in (None, Admission.IN) for one in lines),
        entered_in=sum(not _was_in(one) and now.get(one["item_id"]) == Admission.IN for one in lines),
        belief_before=_mean([line["belief_before"] for line in lines]),
        belief_now=_mean([line["belief"] for line in lines]),
        hits_before=_mean([before for before, _ in pairs]),
        hits_new=_mean([new for _, new in pairs]),
        difference=mean,
        low=None if mean is None or half is None else mean - half,
        high=None if mean is None or half is None else mean + half,
        paired=len(pairs),
        agree=agree,
        agree_low=low,
        agree_high=high,
        tokens=sum_or_none(line["tokens"] for line in lines),
        cost=sum_or_none(line["cost"] for line in lines),
        examples=[_example(line) for line in changed[:EXAMPLES]],
    )


def _lines(table: TableSnapshot[Any], run: str) -> Iterator[dict[str, Any]]:
    columns = ("id", "item_id", "compare", "believed_before", "belief_before", "admission_before", "accepted")
    more = ("belief", "reason", "detail", "votes_before", "verdicts", "tokens", "cost", "problem")
    return table.columns(*columns, *more, where=f"run = {sql_string(run)}")


def _admissions(dataset: Location, ids: Sequence[str]) -> dict[str, str]:
    return {
        row["id"]: row["admission"] for row in Dataset.open(dataset).rows.columns("id", "admission", where=id_in(ids))
    }


def _was_in(line: Mapping[str, Any]) -> bool:
    return bool(line["admission_before"] == Admission.IN)


def _hits(line: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the share of hits among the votes of before and among the new ones; `None` without votes of both."""
    counts, old, new = json.loads(line["votes_before"]), list[str](), list[str]()
    for verdict in json.loads(line["verdicts"]):
        split = counts.get(verdict["role"], 0)
        for number, vote in enumerate(verdict["votes"]):
            if vote["agrees"] != "unsure":
                (old if number < split else new).append(vote["agrees"])
    return (old.count("yes") / len(old), new.count("yes") / len(new)) if old and new else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _example(line: Mapping[str, Any]) -> dict[str, str]:
    words = ("rejected", "accepted")
    return {
        "id": line["item_id"],
        "before": words[line["believed_before"]],
        "now": words[line["accepted"]],
        "why": f"{line['reason']}: {line['detail']}",
        "problem": " ".join((line["problem"] or "").split())[:100],
    }


def describe_report(found: ReverifyReport) -> Iterator[str]:
    """Yield the report in lines for a person."""
    yield (
        f"Run {found.run}: {found.items:,} items = {found.kept:,} accepted as before"
        f" + {found.lost:,} no longer accepted + {found.gained:,} accepted now"
        f" + {found.still_rejected:,} rejected as before"
    )
    if found.compare:
        yield "rows      only compared: no row moves"
    else:
        yield f"rows      {found.left_in:,} left `in`, {found.entered_in:,} entered it"
    yield f"belief    {percent(found.belief_before)} before, {percent(found.belief_now)} now (mean)"
    if found.difference is not None:
        yield (
            f"hits      {percent(found.hits_before)} of blind votes before, {percent(found.hits_new)} of the new:"
            f" {difference(found.difference, found.low, found.high)} on {found.paired:,} items with both"
        )
        yield (
            f"agreement {found.agree:,} of {found.paired:,} items: {found.agree / found.paired:.1%}"
            f" (95 %: {found.agree_low:.1%} to {found.agree_high:.1%})"
        )
    yield f"cost      {spent(found.tokens, found.cost) or 'unknown'}"
    for one in found.examples:
        yield f"  {one['id'][:8]}  {one['before']} > {one['now']}: {one['why']}"
    if found.gained:
        yield "Rejected items that are accepted now stay rejected: `reverifications` in the dataset marks them."
