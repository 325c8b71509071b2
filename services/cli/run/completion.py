"""When a run is over, and why. Decided from the funnel and from how long nothing has been heard."""

from dataclasses import dataclass

from schemas.config.plan import Plan
from services.cli.run.funnel import Funnel

QUIET_S = 10.0
"""So long the planner and the aggregator may think when nothing is under way."""

TOPICS_S = 300.0
"""So long an expansion may take."""


@dataclass(frozen=True, slots=True)
class Completion:
    """How a run ended. `short` says why rows are missing; `None` when none are."""

    short: str | None = None
    next_step: str = ""


def evaluate(funnel: Funnel, plan: Plan, quiet_s: float, patience_s: float, money: str = "") -> Completion | None:
    """Tell whether the run is over; `None` while it is not.

    `quiet_s`: since the last event. `patience_s`: how long work that is under way may be silent. `money`: what is spent
    of the budget, in words.
    """
    lacking = funnel.lacking(plan)
    if funnel.in_flight:
        under_way = f"{funnel.in_flight} problems under way"
        return None if quiet_s < patience_s else _silent(under_way, quiet_s)
    if lacking and plan.hash in funnel.budget:
        return _broke(funnel, money)
    if lacking and funnel.waiting_for_topics:
        return None if quiet_s < min(patience_s, TOPICS_S) else _silent("topics that were asked for", quiet_s)
    if not lacking:
        released = funnel.release is not None and funnel.release.rows >= plan.rows
        return Completion() if released or quiet_s > QUIET_S else None
    if quiet_s < QUIET_S:
        return None
    missing = ", ".join(name if plan.endless else f"{name} lacks {count}" for name, count in lacking.items())
    return _exhausted(funnel, missing)


def _silent(what: str, quiet_s: float) -> Completion:
    return Completion(f"nothing has been heard for {quiet_s:.0f} s of {what}", "Read the logs, then run again to go on")


def _broke(funnel: Funnel, money: str) -> Completion:
    parked = f", {funnel.ends['parked']} problems parked" if funnel.ends["parked"] else ""
    why = f"budget reached: {money} spent, {funnel.rows.total()} rows{parked}"
    return Completion(why, "Raise the budget in the plan and run again")


def _exhausted(funnel: Funnel, missing: str) -> Completion:
    if parked := funnel.ends["parked"]:
        why = f"{parked} problems are parked, and nothing else is under way"
        return Completion(f"{missing}: {why}", "Read in the logs why they failed, then run again to go on")
    why = "no topic is left to ask: those it had were given up for defects or only repeat, and hardly a new one came"
    return Completion(f"{missing}: {why}", "Give the subject more topics in the plan, or another writer, and run again")
