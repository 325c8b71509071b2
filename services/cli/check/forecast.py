"""Estimates what a plan will need: problems, model calls, tokens, cost, time. Pure arithmetic.

Everything is computed for one requested problem (`CallProfile`) and multiplied. Where nothing is measured yet, the
assumptions below are used, and the output marks them as assumed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from schemas.config.models_config import CHAT_ROLES, ROLES, ModelsConfig
from schemas.config.plan import Plan
from schemas.config.policies import Verification
from schemas.flow import ADJUDICATOR, VERIFIERS
from schemas.spend import sum_or_none
from services.planner.handler import MAX_TOPICS_PER_PASS
from shared.stats.item_belief import DEFAULTS
from shared.stats.view_thresholds import evidence_forecast, view_thresholds

HIT = 0.6
"""Assumed probability that a blind attempt, or a solution, agrees with the key."""
SCREENED = 0.9
"""Assumed share of drafts that reach the verifiers."""
LANDED = 0.9
"""Assumed share of solved problems that become rows."""
HARD = 0.8
"""Assumed share of accepted problems that are not too easy, where the plan drops those."""
COMPARED = 0.1
"""Assumed share of answers that no rule can compare."""
AUDITED = 1.5
"""Items per audit: one with a planted error, and a control for every second one."""

EACH = 1.0
"""Assumed calls of a service that is not counted below, for each requested problem."""
COUNTED = {"problem_writer", "expansion", *VERIFIERS, ADJUDICATOR, "probe", "synthesis", "screening", "answer_checker"}
"""Services whose calls are counted one by one."""

TOKENS = {"expansion": (2_000, 6_000)} | {name: role.tokens for name, role in ROLES.items()}
"""Assumed tokens of one call: prompt, and answer with thinking."""
MODEL_ROLES = {"expansion": "writer"}
"""The role whose model makes the call, where the name is not a role."""


@dataclass(frozen=True, slots=True)
class CallProfile:
    """The calls of a role per requested problem, on average. Unknown is `None`."""

    calls: float
    prompt_tokens: float | None
    """Per call, as the fields below."""
    completion_tokens: float | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """The figures of an estimate."""

    rows: float
    """Share of requested problems that become rows."""
    profiles: Mapping[str, CallProfile]
    problems: int | None = None
    """Number of problems that were measured; `None` for assumptions."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a plan needs of a role. Unknown is `None`."""

    role: str
    model: str | None
    calls: int
    tokens: int | None
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan needs from now on."""

    rows: int
    """Missing rows; for an endless plan, the rows of a release."""
    problems: int
    needs: tuple[Need, ...]
    calls: int
    tokens: float | None
    dollars: float | None
    seconds: float | None
    """Lower bound: every slot is always in use."""
    basis: Basis


def assumed(plan: Plan) -> Basis:
    """Return the basis of a plan that has not run yet."""
    solved = min(SCREENED, plan.yield_assumed / LANDED)
    hard = HARD if plan.solving.max_base_pass < 1 else 1.0
    probed = plan.solving.probe_attempts * min(SCREENED, solved / hard)
    verified = SCREENED + plan.audits.rate * plan.yield_assumed * AUDITED
    blind, adjudicated = _evidence(plan.verification)
    traces = plan.solving.traces + (1 - HIT) ** plan.solving.traces * (1 - (1 - HIT) ** plan.solving.retries) / HIT
    calls = {
        "writer": 1.0,
        "verifier_a": verified * (blind + 1),
        "verifier_b": verified * (blind + 1),
        "adjudicator": verified * adjudicated,
        "base": probed,
        "solver": solved * traces,
        "judge": COMPARED * (2 * verified * blind + solved * traces + probed),
    }
    for role in CHAT_ROLES:
        calls[role] = calls.get(role, 0.0) + EACH * len(set(ROLES[role].services) - COUNTED)
    return Basis(
        plan.yield_assumed, {role: CallProfile(count, *TOKENS[role]) for role, count in calls.items() if count}
    )


def _evidence(verification: Verification) -> tuple[float, float]:
    """Blind attempts of each verifier for a problem, and adjudications, on average."""
    if not verification.target_wrong:
        return (1 - (1 - HIT) ** verification.attempts_each) / HIT, 0.0
    thresholds = [one for one in view_thresholds(verification, DEFAULTS).values() if one is not None]
    ends = evidence_forecast(verification, DEFAULTS).ends(min(thresholds)) if thresholds else []
    total = sum(end.share for end in ends)
    if not total:  # nothing is requested
        return 1.0, 0.0
    return (
        sum(end.share * end.votes for end in ends) / total / 2,
        sum(end.share * end.adjudications for end in ends) / total,
    )


def forecast(plan: Plan, rows: Mapping[str, int], basis: Basis, models: ModelsConfig) -> Forecast:
    """Estimate. `rows` are the existing rows by subject. With measured problems, topics are assumed to exist."""
    target = None if not plan.endless else sum(rows.values()) + plan.releases.every_rows
    missing = sum(max(0, quota - rows.get(name, 0)) for name, quota in plan.quotas(target).items())
    problems = ceil(missing / basis.rows)
    passes = (
        0
        if basis.problems or not missing
        else sum(ceil(one.topics / MAX_TOPICS_PER_PASS) for one in plan.subjects.values())
    )
    counts = {"expansion": (passes, CallProfile(0, *TOKENS["expansion"]))}
    counts |= {
        role: (ceil(problems * profile.calls), profile)
        for role, profile in basis.profiles.items()
        if role != "adjudicator" or role in models.assigned()  # without a model nothing is adjudicated
    }
    needs = tuple(_need(role, count, profile, models) for role, (count, profile) in counts.items() if count)
    return Forecast(
        rows=missing,
        problems=problems,
        needs=needs,
        calls=sum(need.calls for need in needs),
        tokens=sum_or_none(need.tokens for need in needs),
        dollars=sum_or_none(need.dollars for need in needs),
        seconds=_seconds(problems, basis, plan.in_progress),
        basis=basis,
    )


def estimate_calls(items: int, basis: Basis, models: ModelsConfig, roles: Iterable[str]) -> tuple[Need, ...]:
    """Estimate the calls of these roles for items that are written already: a basis counts per requested problem."""
    return tuple(
        _need(role, ceil(items * basis.profiles[role].calls), basis.profiles[role], models)
        for role in roles
        if role in basis.profiles
    )


def _need(role: str, calls: int, profile: CallProfile, models: ModelsConfig) -> Need:
    prompt, completion = profile.prompt_tokens, profile.completion_tokens
    tokens = None if prompt is None or completion is None else round(calls * (prompt + completion))
    role_model = models.assigned().get(MODEL_ROLES.get(role, role))
    price = role_model.price if role_model else None
    dollars = None
    if price and prompt is not None and completion is not None:
        dollars = calls * (price.input * prompt + price.output * completion) / 1e6
    return Need(role, role_model.model if role_model else None, calls, tokens, dollars)


def _seconds(problems: int, basis: Basis, in_progress: int) -> float | None:
    """Sum the calls of a problem: sequential, except for the two verifiers, and without the judge, which is fast."""
    profiles = {role: profile for role, profile in basis.profiles.items() if role != "judge"}
    seconds = {role: one.calls * one.seconds for role, one in profiles.items() if one.seconds is not None}
    if not problems or seconds.keys() != profiles.keys():
        return None
    verification = max(seconds.pop("verifier_a", 0.0), seconds.pop("verifier_b", 0.0))
    return (verification + sum(seconds.values())) * max(1.0, problems / in_progress)
