"""What problems have taken so far, by the lineage of everything in a dataset's folder."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from statistics import fmean
from typing import Any

from schemas.config.plan import Plan
from services.cli.check.forecast import Basis, CallProfile, assumed
from shared.dataset import Dataset, audits
from shared.dataset.storage import Location
from shared.errors import Refusal

ENOUGH = 20
"""Problems that must have ended before they count for more than what is assumed."""
SAMPLED = 2000
"""Most lines of each kind whose calls are read."""
ROLES = {
    "problem_writer": "writer",
    "verifier-a": "verifier_a",
    "verifier-b": "verifier_b",
    "probe": "base",
    "synthesis": "solver",
    "judge": "judge",
}
"""Roles by who asked, in provenance."""


PRIOR_PROBLEMS = 8
"""How many problems the yield that the plan assumes weighs, as it does for the planner."""


def measured_costs(folder: Location, plan: Plan, *, simulated: bool) -> Basis | None:
    """The basis of what is there; `None` when that is too little, or not made by models of this kind.

    Audits count with the problems that they were made from. What topics have cost is in no table. A probe that the plan
    asks for, and that nothing there has been through, is assumed.
    """
    try:
        dataset = Dataset.open(folder)
    except Refusal:
        return None
    rejected = dataset.ledger.counts("kind")[("rejected",)]
    rows = dataset.rows.counts("admission")
    problems = rows.total() + rejected
    if problems < ENOUGH or (dataset.rows.counts("simulated")[(True,)] > 0) != simulated:
        return None
    calls: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    count: defaultdict[str, float] = defaultdict(float)
    for lines, total in _sources(dataset, folder, rows.total(), rejected):
        sample = list(islice(lines, SAMPLED))
        for call in (call for steps in sample for step in steps for call in step["calls"]):
            if role := ROLES.get(call["role"]):
                calls[role].append(call)
                count[role] += total / len(sample)
    paces = {role: _pace(calls[role], count[role] / problems) for role in ROLES.values() if role in calls}
    probe = {role: pace for role, pace in assumed(plan).paces.items() if role == "base"}
    good = rows[("in",)] + rows[("reserve",)]
    return Basis(
        (good + PRIOR_PROBLEMS * plan.yield_assumed) / (problems + PRIOR_PROBLEMS), {**probe, **paces}, problems
    )


def _sources(dataset: Dataset, folder: Location, rows: int, rejected: int) -> Iterator[tuple[Iterable[Any], int]]:
    """The steps of items, and how many items there are."""
    yield (json.loads(line["lineage"]) for line in dataset.rows.columns("lineage")), rows
    items = dataset.ledger.columns("item", where="kind = 'rejected'")
    yield (json.loads(line["item"])["lineage"] for line in items), rejected
    with suppress(Refusal):  # none yet
        found = audits(folder)
        yield (json.loads(line["item"])["lineage"] for line in found.columns("item")), len(found)


def _pace(calls: list[dict[str, Any]], each: float) -> CallProfile:
    """`None` where no call told."""
    means = {
        name: fmean(told) if (told := [call[name] for call in calls if call[name] is not None]) else None
        for name in ("prompt_tokens", "completion_tokens", "latency_s")
    }
    return CallProfile(each, means["prompt_tokens"], means["completion_tokens"], means["latency_s"])
