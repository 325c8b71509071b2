"""Calls and tokens per problem so far, from the lineage of all items in a dataset."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from statistics import fmean
from typing import Any

from schemas.config.models_config import CHAT_ROLES, ROLES, caller
from schemas.config.plan import Plan
from schemas.outcomes import Admission
from services.cli.check.forecast import Basis, CallProfile, assumed
from services.planner.demand import PRIOR_PROBLEMS
from shared.dataset import Dataset, open_audits
from shared.dataset.storage import Location
from shared.errors import Refusal

MIN_PROBLEMS = 20
"""Ended problems below which the assumptions are used."""
SAMPLED_ITEMS = 2000
"""Most items of each kind whose calls are read."""
ROLE_OF_CALLER = {caller(name, service): name for name in CHAT_ROLES for service in ROLES[name].services}
"""Role by the `role` of a call in provenance, which is a service or the judge."""


def measured_costs(folder: Location, plan: Plan, *, simulated: bool) -> Basis | None:
    """Return the measured basis; `None` with too few problems, or with problems of the other kind of models.

    The calls of audits count for the problems that the audits were made from. No table has the cost of topics. A probe
    that the plan requires, and no item has passed, is assumed.
    """
    try:
        dataset = Dataset.open(folder)
    except Refusal:
        return None
    rejected = dataset.ledger.counts("kind")[("rejected",)]
    rows = dataset.rows.counts("admission")
    problems = rows.total() + rejected
    if problems < MIN_PROBLEMS or (dataset.rows.counts("simulated")[(True,)] > 0) != simulated:
        return None
    calls: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    count: defaultdict[str, float] = defaultdict(float)
    for lines, total in _sources(dataset, folder, rows.total(), rejected):
        sample = list(islice(lines, SAMPLED_ITEMS))
        for call in (call for steps in sample for step in steps for call in step["calls"]):
            if role := ROLE_OF_CALLER.get(call["role"]):
                calls[role].append(call)
                count[role] += total / len(sample)
    profiles = {role: _profile(calls[role], count[role] / problems) for role in CHAT_ROLES if role in calls}
    probe = {role: profile for role, profile in assumed(plan).profiles.items() if role == "base"}
    good = rows[(Admission.IN,)] + rows[(Admission.RESERVE,)]
    return Basis(
        (good + PRIOR_PROBLEMS * plan.yield_assumed) / (problems + PRIOR_PROBLEMS), {**probe, **profiles}, problems
    )


def _sources(dataset: Dataset, folder: Location, rows: int, rejected: int) -> Iterator[tuple[Iterable[Any], int]]:
    """Yield the steps of items, and the number of items."""
    yield (json.loads(line["lineage"]) for line in dataset.rows.columns("lineage")), rows
    items = dataset.ledger.columns("item", where="kind = 'rejected'")
    yield (json.loads(line["item"])["lineage"] for line in items), rejected
    with suppress(Refusal):  # there are no audits yet
        table = open_audits(folder)
        yield (json.loads(line["item"])["lineage"] for line in table.columns("item")), len(table)


def _profile(calls: list[dict[str, Any]], each: float) -> CallProfile:
    """Return the mean of each figure; `None` when no call has it."""
    means = {
        name: fmean(values) if (values := [call[name] for call in calls if call[name] is not None]) else None
        for name in ("prompt_tokens", "completion_tokens", "latency_s")
    }
    return CallProfile(each, means["prompt_tokens"], means["completion_tokens"], means["latency_s"])
