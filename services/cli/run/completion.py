"""Whether a run is over, and why: from the funnel's counts and the time since the last event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from schemas.config.plan import Plan
from shared.dataset.reports.funnel import Funnel

QUIET_S = 10.0
"""Longest silence of planner and aggregator when nothing is under way."""

TOPICS_S = 300.0
"""Longest duration of an expansion."""

REPLAY = "Correct the cause and replay the dead letter, or change the subject in the plan"


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of a run. `short` says why rows are missing; `None` when none are missing."""

    short: str | None = None
    next_step: str = ""


def evaluate(
    funnel: Funnel,
    plan: Plan,
    quiet_s: float,
    silence_s: float,
    budget: str = "",
    pause: str = "",
    lost: Mapping[UUID, str] = MappingProxyType({}),
) -> Completion | None:
    """Return how the run ended; `None` while it is not over.

    `quiet_s` is the time since the last event, `silence_s` the longest silence of work under way, `budget` the spending
    in words, `pause` why the planner requests nothing, `lost` why requests for topics became dead letters.
    """
    lacking = funnel.lacking(plan)
    if funnel.in_flight:
        under_way = f"{funnel.in_flight} problems under way"
        return None if quiet_s < silence_s else _silent(under_way, quiet_s)
    if lacking and plan.hash in funnel.budget:
        return _over_budget(funnel, budget)
    awaited = [request for request, subject in funnel.waiting_for_topics.items() if subject in lacking]
    if any(request not in lost for request in awaited):
        return None if quiet_s < min(silence_s, TOPICS_S) else _silent("requested topics", quiet_s)
    if not lacking:
        released = funnel.release is not None and funnel.release.rows >= plan.rows
        return Completion() if released or quiet_s > QUIET_S else None
    if quiet_s < QUIET_S:
        return None
    missing = ", ".join(name if plan.endless else f"{name} lacks {count}" for name, count in lacking.items())
    if awaited:
        return lost_topics(missing, [lost[request] for request in awaited])
    failed = {name: why for name, why in funnel.failed_topics.items() if name in lacking}
    if failed:
        missing += f" (requests for topics failed: {'; '.join(f'{name}: {why}' for name, why in failed.items())})"
    if pause:
        return Completion(f"{missing}: {pause}", "Then run again to continue")
    return _exhausted(funnel, missing)


def _silent(what: str, quiet_s: float) -> Completion:
    return Completion(f"no event of {what} for {quiet_s:.0f} s", "Read the logs, then run again to continue")


def lost_topics(missing: str, reasons: Iterable[str], step: str = REPLAY) -> Completion:
    """Return the end of a run that lacks topics because requests for them are dead letters."""
    reason = f"{missing}: its topics cannot come: {'; '.join(dict.fromkeys(reasons))}"
    return Completion(reason, step)


def _over_budget(funnel: Funnel, budget: str) -> Completion:
    parked = f", {funnel.ends['parked']} problems parked" if funnel.ends["parked"] else ""
    reason = f"budget reached: {budget} spent, {funnel.rows.total()} rows{parked}"
    return Completion(reason, "Raise the budget in the plan and run again")


def _exhausted(funnel: Funnel, missing: str) -> Completion:
    if parked := funnel.ends["parked"]:
        reason = f"{parked} problems are parked, and nothing else is under way"
        return Completion(f"{missing}: {reason}", "Read in the logs why they failed, then run again to continue")
    closed = "all are closed for defects or repetition, or paused for too few rows"
    reason = f"no topic is open: {closed}, and expansion returned too few new ones"
    return Completion(
        f"{missing}: {reason}", "Give the subject more topics in the plan or another writer, then run again"
    )
