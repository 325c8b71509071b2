"""What a run of `chimera resolve` changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.outcomes import Admission
from schemas.spend import sum_or_none
from services.cli.evidence.figures import difference, mean_interval, percent, spent
from shared.dataset import Dataset, open_resolutions
from shared.dataset.query import id_in, sql_string
from shared.dataset.storage import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveReport:
    """The numbers of a run. Every row is one of `hits`, `misses` and `unknown`."""

    run: str
    rows: int
    hits: int
    """A new solution agrees with the key."""
    misses: int
    unknown: int
    """No new solution can be compared with the key."""
    disputed: int
    """Misses whose answer a verifier had found blind: two models agree against the key."""
    hits_before: int
    """Rows whose solution agreed with the key before."""
    difference: float | None
    """Mean of hit now − hit before over the rows where both are known, with its 95 % interval."""
    low: float | None
    high: float | None
    paired: int
    chosen: int
    """Rows that have a solution by the new solver now."""
    entered_in: int
    """Rows that were not `in` and are now."""
    tokens: int | None
    cost: float | None
    disputes: dict[str, str]
    """Why the key is disputed, by id of the row: the first ones."""


SHOWN = 5
COLUMNS = ("item_id", "correct_before", "correct", "disputed", "solver", "admission_before", "tokens", "cost")


def report(dataset: Location, run: str) -> ResolveReport | None:
    """Return the report of a run; `None` when no row of it has ended."""
    table = open_resolutions(dataset)
    lines = [] if table is None else list(table.columns(*COLUMNS, where=f"run = {sql_string(run)}"))
    if not lines:
        return None
    found = Dataset.open(dataset).rows.columns(
        "id", "solver", "admission", where=id_in({line["item_id"] for line in lines})
    )
    now = {row["id"]: row for row in found}
    known = [line for line in lines if line["correct"] is not None and line["correct_before"] is not None]
    mean, half = mean_interval([line["correct"] - line["correct_before"] for line in known])
    outcomes = [line["correct"] for line in lines]
    there = [(line, now[line["item_id"]]) for line in lines if line["item_id"] in now]
    disputed = {line["item_id"]: line["disputed"] for line in lines if line["disputed"]}
    return ResolveReport(
        run=run,
        rows=len(lines),
        hits=outcomes.count(True),
        misses=outcomes.count(False),
        unknown=outcomes.count(None),
        disputed=len(disputed),
        hits_before=sum(line["correct_before"] is True for line in lines),
        difference=mean,
        low=None if mean is None or half is None else mean - half,
        high=None if mean is None or half is None else mean + half,
        paired=len(known),
        chosen=sum(row["solver"] == line["solver"] for line, row in there),
        entered_in=sum(line["admission_before"] != Admission.IN == row["admission"] for line, row in there),
        tokens=sum_or_none(line["tokens"] for line in lines),
        cost=sum_or_none(line["cost"] for line in lines),
        disputes=dict(list(disputed.items())[:SHOWN]),
    )


def describe_report(found: ResolveReport) -> Iterator[str]:
    """Yield the report in lines for a person."""
    yield (
        f"Run {found.run}: {found.rows:,} rows = {found.hits:,} hit the key + {found.misses:,} missed it"
        f" + {found.unknown:,} not comparable"
    )
    change = difference(found.difference, found.low, found.high)
    on = f": {change} on {found.paired:,} rows" if change else ""
    yield f"hits      {found.hits_before:,} before, {found.hits:,} now{on}"
    yield (
        f"rows      {found.chosen:,} have a solution by the new solver ({percent(found.chosen / found.rows)}),"
        f" {found.entered_in:,} entered `in`"
    )
    yield f"cost      {spent(found.tokens, found.cost) or 'unknown'}"
    if found.disputed:
        yield f"disputed  {found.disputed:,} keys: the rows stay, look at them"
    for id_, why in found.disputes.items():
        yield f"  {id_[:8]}  {why}"
