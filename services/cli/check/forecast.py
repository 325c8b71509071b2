"""What a plan will need: problems, model calls, tokens, money, time. Arithmetic alone.

All is computed for one requested problem (`CallProfile`) and multiplied. Where nothing is measured yet, the
figures below stand in: they are guesses, and whoever shows them says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan

HIT = 0.6
"""Assumed chance that a blind attempt, or a solution, lands on the key."""
SCREENED = 0.9
"""Assumed share of drafts that reach the verifiers."""
LANDED = 0.9
"""Assumed share of solved problems that become rows."""
HARD = 0.8
"""Assumed share of accepted problems that are not too easy, where the plan drops those."""
COMPARED = 0.1
"""Assumed share of answers that no rule can compare."""
AUDITED = 1.5
"""Items for an audit: a broken one, and every second time a control."""
PASS = 100
"""Most topics of one call."""
TOKENS = {
    "expansion": (2_000, 6_000),
    "writer": (1_000, 8_000),
    "verifier_a": (900, 8_000),
    "verifier_b": (900, 8_000),
    "solver": (400, 17_000),
    "judge": (600, 500),
    "base": (400, 8_000),
}
"""Assumed tokens of one call: prompt, and answer with its thinking. A solution is one of the paper's 11,121 words."""
WHO = {"expansion": "writer"}
"""Whose model does it, where the name is not a role."""


@dataclass(frozen=True, slots=True)
class CallProfile:
    """What one problem takes of a role, on the mean of all that are asked for. Unknown is `None`."""

    calls: float
    prompt_tokens: float | None
    """Of one call, as the rest."""
    completion_tokens: float | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What is reckoned with."""

    rows: float
    """Share of the problems asked for that become rows."""
    paces: Mapping[str, CallProfile]
    problems: int | None = None
    """How many problems it was measured on; `None`: assumed."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a plan will take of a role. Unknown is `None`."""

    role: str
    model: str | None
    calls: int
    tokens: int | None
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan will need from now on."""

    rows: int
    """Rows that are lacking; of a plan without an end, those of a release."""
    problems: int
    needs: tuple[Need, ...]
    calls: int
    tokens: float | None
    dollars: float | None
    seconds: float | None
    """At the least: so long if every place is always taken."""
    basis: Basis


def assumed(plan: Plan) -> Basis:
    """The basis of a plan that has not run yet."""
    solved = min(SCREENED, plan.yield_assumed / LANDED)
    hard = HARD if plan.solving.max_base_pass < 1 else 1.0
    probed = plan.solving.probe_attempts * min(SCREENED, solved / hard)
    verified = SCREENED + plan.audits.rate * plan.yield_assumed * AUDITED
    blind = (1 - (1 - HIT) ** plan.verification.blind_attempts) / HIT
    tried = plan.solving.traces + (1 - HIT) ** plan.solving.traces * (1 - (1 - HIT) ** plan.solving.retries) / HIT
    calls = {
        "writer": 1.0,
        "verifier_a": verified * (blind + 1),
        "verifier_b": verified * (blind + 1),
        "base": probed,
        "solver": solved * tried,
        "judge": COMPARED * (2 * verified * blind + solved * tried + probed),
    }
    return Basis(
        plan.yield_assumed, {role: CallProfile(count, *TOKENS[role]) for role, count in calls.items() if count}
    )


def forecast(plan: Plan, rows: Mapping[str, int], basis: Basis, cast: ModelsConfig) -> Forecast:
    """Reckon. `rows` are there already, by subject. Where problems have been measured, topics are there."""
    there = None if not plan.endless else sum(rows.values()) + plan.releases.every_rows
    lack = sum(max(0, quota - rows.get(name, 0)) for name, quota in plan.quotas(there).items())
    problems = ceil(lack / basis.rows)
    passes = 0 if basis.problems or not lack else sum(ceil(one.topics / PASS) for one in plan.subjects.values())
    counts = {"expansion": (passes, CallProfile(0, *TOKENS["expansion"]))}
    counts |= {role: (ceil(problems * pace.calls), pace) for role, pace in basis.paces.items()}
    needs = tuple(_need(role, count, pace, cast) for role, (count, pace) in counts.items() if count)
    return Forecast(
        rows=lack,
        problems=problems,
        needs=needs,
        calls=sum(need.calls for need in needs),
        tokens=_total(need.tokens for need in needs),
        dollars=_total(need.dollars for need in needs),
        seconds=_seconds(problems, basis, plan.in_progress),
        basis=basis,
    )


def _need(role: str, calls: int, pace: CallProfile, cast: ModelsConfig) -> Need:
    prompt, completion = pace.prompt_tokens, pace.completion_tokens
    tokens = None if prompt is None or completion is None else round(calls * (prompt + completion))
    part = cast.assigned().get(WHO.get(role, role))
    price = part.price if part else None
    dollars = None
    if price and prompt is not None and completion is not None:
        dollars = calls * (price.input * prompt + price.output * completion) / 1e6
    return Need(role, part.model if part else None, calls, tokens, dollars)


def _seconds(problems: int, basis: Basis, in_progress: int) -> float | None:
    """A problem waits for its calls one after another, for its verifiers side by side; the judge is quick."""
    waits = {role: pace for role, pace in basis.paces.items() if role != "judge"}
    taken = {role: pace.calls * pace.seconds for role, pace in waits.items() if pace.seconds is not None}
    if not problems or taken.keys() != waits.keys():
        return None
    side_by_side = max(taken.pop("verifier_a", 0.0), taken.pop("verifier_b", 0.0))
    each = side_by_side + sum(taken.values())
    return each * max(1.0, problems / in_progress)


def _total(parts: Iterable[float | None]) -> float | None:
    """The sum; `None` when any part is unknown."""
    known = list(parts)
    return None if None in known else sum(part for part in known if part is not None)
