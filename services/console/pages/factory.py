"""How the run is doing: funnel, rate, yield, cost of a row, time left, coverage, difficulty, beliefs, audits."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from schemas.config.plan import Plan
from services.console.dataset_cache import DatasetCache, Snapshot
from services.console.live import Live
from shared.dataset import Audit, TableSnapshot, open_audits
from shared.dataset.reports import audit_rates, statistics
from shared.dataset.reports.wrong_keys import MEANING, estimate_wrong_keys
from shared.errors import Refusal
from shared.stats.wilson import wilson

RECENT_S = 600
"""The rate is that of the rows of the last ten minutes."""
FIGURES_S = 10.0
BELIEF_S = 60.0
"""Beliefs of the dataset now may be so old: they take longer, since every row's votes are read."""
BELIEF_ROWS = 20_000
"""Most rows and rejected problems of which beliefs are computed while a reader waits."""
BANDS = {"up to 0.5": 0.5, "up to 0.8": 0.8, "up to 0.9": 0.9, "up to 0.95": 0.95, "up to 0.98": 0.98, "up to 1": 1.0}
"""Bands of belief, with their upper ends."""


def show(cache: DatasetCache, live: Live, now: datetime) -> dict[str, Any]:
    """Everything that the page shows; figures are unknown before there is a dataset."""
    snapshot, plan = cache.newest(), cache.plan
    figures = of(cache, snapshot) if snapshot else None
    rate = _rate(snapshot, now) if snapshot else None
    lacking = _lacking(plan, figures)
    return {
        "snapshot": snapshot,
        "plan": plan,
        "quotas": plan.quotas() if plan and not plan.endless else {},
        "figures": figures,
        "rate": rate,
        "lacking": lacking,
        "left_s": lacking / rate if lacking and rate else None,
        "live": live,
        "now": now,
    }


def of(cache: DatasetCache, snapshot: Snapshot) -> dict[str, Any]:
    """The figures of a release, or of the dataset now: those may be FIGURES_S old, since each commit changes them."""
    if snapshot.manifest:
        return cache.cached((snapshot.key, "figures"), lambda: _figures(cache, snapshot))
    return cache.cached("figures", lambda: _figures(cache, snapshot), FIGURES_S)


def _figures(cache: DatasetCache, snapshot: Snapshot) -> dict[str, Any]:
    figures, rows = statistics.figures(snapshot.dataset, cache.difficulty), snapshot.dataset.rows
    coverage: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (subject, topic), number in sorted(rows.counts("subject", "topic").items()):
        coverage[subject][topic] = number
    tiers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (subject, tier), number in sorted(rows.counts("subject", "tier").items()):
        tiers[subject][tier] = number
    kept, rejected = figures["by_subject"], figures["rejected_by_subject"]
    yields = {
        name: _yield(sum(kept.get(name, {}).values()), rejected.get(name, 0)) for name in sorted({*kept, *rejected})
    }
    return {
        **figures,
        "coverage": dict(coverage),
        "tiers_by_subject": dict(tiers),
        "yields": yields,
        **_belief_figures(cache, snapshot),
        "meaning": MEANING,
        "audits": audit_figures(cache),
    }


def _yield(kept: int, rejected: int) -> dict[str, Any]:
    low, high = wilson(kept, kept + rejected)
    return {"hits": kept, "n": kept + rejected, "rate": kept / (kept + rejected), "low": low, "high": high}


def _belief_figures(cache: DatasetCache, snapshot: Snapshot) -> dict[str, Any]:
    """Rows by belief, and the estimated share of wrong keys; `None` of a dataset that is too large for a page."""
    if len(snapshot.dataset.rows) + len(snapshot.dataset.ledger) > BELIEF_ROWS:
        return {"beliefs": None, "wrong_keys": None}

    def made() -> dict[str, Any]:
        return {"beliefs": _beliefs(cache, snapshot), "wrong_keys": wrong_keys(cache, snapshot)}

    return cache.cached((snapshot.name, "beliefs"), made, None if snapshot.manifest else BELIEF_S)


def _beliefs(cache: DatasetCache, snapshot: Snapshot) -> dict[str, int]:
    """Rows by the probability that their key is right, in bands."""
    bands = dict.fromkeys((*BANDS, "unknown"), 0)
    rows = snapshot.dataset.rows
    for belief in cache.beliefs.of(rows, [*rows.columns("id", "row_hash")]):
        bands["unknown" if belief is None else next(name for name, limit in BANDS.items() if belief <= limit)] += 1
    return bands


def wrong_keys(cache: DatasetCache, snapshot: Snapshot) -> dict[str, Any]:
    """The estimated share of wrong keys, as `chimera audit` has it."""
    return estimate_wrong_keys(snapshot.dataset, _audits(cache))


def audit_figures(cache: DatasetCache) -> dict[str, Any] | None:
    """The rates of audits, as `chimera audit` has them; `None` when nothing was audited."""
    found = _audits(cache)
    if found is None:
        return None
    return cache.cached((found.version, "audits"), lambda: audit_rates.count(found, None, cache.difficulty))


def _audits(cache: DatasetCache) -> TableSnapshot[Audit] | None:
    try:
        return open_audits(cache.folder)
    except Refusal:
        return None


def _rate(snapshot: Snapshot, now: datetime) -> float:
    """Rows a second of late."""
    since = now - timedelta(seconds=RECENT_S)
    lines = snapshot.dataset.rows.columns("curated_at", where=f"curated_at > timestamp '{since.isoformat()}'")
    times = [line["curated_at"] for line in lines]
    return len(times) / max(1.0, (now - min(times)).total_seconds()) if times else 0.0


def _lacking(plan: Plan | None, figures: dict[str, Any] | None) -> int | None:
    """Rows that the plan still lacks; `None` when it has no number of them."""
    if plan is None or plan.endless:
        return None
    kept: dict[str, dict[str, int]] = figures["by_subject"] if figures else {}
    return sum(max(0, quota - kept.get(name, {}).get("in", 0)) for name, quota in plan.quotas().items())
