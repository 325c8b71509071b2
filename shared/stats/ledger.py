"""What a ledger of items says of the parameters of belief: likelihoods, summed over the hypotheses about each item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import exp, log
from typing import NamedTuple

from shared.stats.belief import canonical, judgement_likelihood, likelihood, weight_of_wrong
from shared.stats.belief_model import RARE_AGREEMENT, RARE_REPEAT, Evidence, JudgeRates, Parameters, Saw, Solving, Votes
from shared.stats.grid_posterior import Axes, Interval, Point, axis, grid_posterior, interval

RHO_STEP = 0.02
"""Of the agreement of errors, so that likelihoods are computed once for all ledgers."""
_PRIOR_W, _PRIOR_RHO = (1.0, 4.0), (1.2, 2.8)
"""Beta priors whose means are the defaults; they weigh as much as five and four problems whose truth is known."""


class Observation(NamedTuple):
    """What was seen of an item, and whether a person says that its key is right."""

    evidence: Evidence
    label: bool | None = None


class Proportion(NamedTuple):
    """Successes among trials."""

    hits: int = 0
    trials: int = 0


NONE = Proportion()


@dataclass(frozen=True, slots=True)
class Audits:
    """What audits counted: by what the judge saw, refusals of wrong keys and of right ones; right adjudications."""

    caught: Mapping[Saw, Proportion]
    refused: Mapping[Saw, Proportion]
    adjudicated: Proportion = NONE


def total(counts: Iterable[Proportion]) -> Proportion:
    """All together."""
    pairs = list(counts)
    return Proportion(sum(one.hits for one in pairs), sum(one.trials for one in pairs))


def with_catch(parameters: Parameters, catch: float) -> Parameters:
    """With another d; the rates by what the judge saw move along, in log-odds."""
    shift = _log_odds(catch) - _log_odds(parameters.judge.catch)
    by_sight = tuple(
        (saw, rates._replace(catch=1 / (1 + exp(-_log_odds(rates.catch) - shift))))
        for saw, rates in parameters.judge_by_sight
    )
    return replace(parameters, judge=parameters.judge._replace(catch=catch), judge_by_sight=by_sight)


class Ledger:
    """Counts of observations, ready to be weighed with many parameters."""

    def __init__(self, observed: Mapping[Observation, int], start: Parameters) -> None:
        """`start`: what is not estimated from the ledger."""
        self._start = replace(start, solving=start.solving._replace(repeat=RARE_REPEAT, least_agreement=RARE_AGREEMENT))
        merged = dict[Observation, int]()
        for (evidence, label), count in observed.items():
            one = Observation(evidence._replace(votes=canonical(evidence.votes, start.solving)), label)
            merged[one] = merged.get(one, 0) + count
        self._items = [
            (one.evidence, one.evidence._replace(votes=Votes(), adjudications=(), guess=0.0), one.label, count)
            for one, count in merged.items()
        ]

    def posterior(self, caught: Proportion) -> list[tuple[float, Parameters]]:
        """Of w, ρ and, where audits counted it, d."""
        d = axis(0.02, 0.98, 7) if caught.trials else [self._start.judge.catch]
        axes = [axis(0.005, 0.9, 7), axis(0.0, 0.9, 7, RHO_STEP), d]

        def log_density(axes: Axes) -> Iterable[tuple[float, Point]]:
            for rho, catch in product(axes[1], axes[2]):
                terms = self._terms(self._with(1.0, rho, catch))
                prior = caught.hits * log(catch) + (caught.trials - caught.hits) * log(1 - catch)
                prior += _log_beta_density(rho, *_PRIOR_RHO)
                for w in axes[0]:
                    yield prior + _log_likelihood(terms, w) + _log_beta_density(w, *_PRIOR_W), (w, rho, catch)

        points = grid_posterior(log_density, axes, (0.0, RHO_STEP, 0.0))
        kept = [(weight, point) for weight, point in points if weight > 1e-5]
        return [(weight / sum(weight for weight, _ in kept), self._with(*point)) for weight, point in kept]

    def log_likelihood(self, parameters: Parameters) -> float:
        """Of the whole ledger, up to a constant."""
        return _log_likelihood(self._terms(replace(parameters, wrong_keys=1.0)), parameters.wrong_keys)

    def _with(self, wrong_keys: float, error_agreement: float, catch: float) -> Parameters:
        solving = self._start.solving._replace(error_agreement=error_agreement)
        return replace(with_catch(self._start, catch), wrong_keys=wrong_keys, solving=solving)

    def _terms(self, parameters: Parameters) -> list[tuple[int, float, float]]:
        """For each kind of item: how many, its chance with a right key, and with a wrong one."""
        judges, terms = dict[Evidence, tuple[float, float]](), []
        for evidence, judgements, label, count in self._items:
            if judgements not in judges:
                judges[judgements] = judgement_likelihood(judgements, parameters)
            right, wrong = judges[judgements]
            votes = likelihood(evidence.votes, parameters.solving, evidence.guess)
            of_wrong = weight_of_wrong(sum(votes.common_error), sum(votes.misprint), parameters)
            terms.append((count, votes.key * right * (label is not False), of_wrong * wrong * (label is not True)))
        return terms


def verifier_differences(observed: Mapping[Observation, int], mean: Parameters) -> tuple[Solving, dict[str, Interval]]:
    """The ability of the second verifier relative to the first, and how dependent the two are.

    The other parameters stay at their means, so the intervals are a little too narrow.
    """
    intervals, solving = dict[str, Interval](), mean.solving
    ranges = {"dependence": (0.0, 1.0), "ability": (-3.0, 3.0)}
    apart = sum(count * _pairs_apart(one.evidence.votes) for one, count in observed.items())

    def log_density(name: str, axes: Axes) -> Iterable[tuple[float, Point]]:
        for value in axes[0]:
            one = _changed(solving, name, value)
            parameters = replace(mean, solving=one)
            certain = min(one.dependence, 1 - 1e-6)
            yield Ledger(observed, parameters).log_likelihood(parameters) + apart * log(1 - certain), (value,)

    for name in (*ranges, *ranges):
        points = grid_posterior(lambda axes, name=name: log_density(name, axes), [axis(*ranges[name], 7)], (0.0,))  # type: ignore[misc]
        intervals[name] = interval((weight, value) for weight, (value,) in points)
        solving = _changed(solving, name, intervals[name].mean)
    if intervals["dependence"].low95 <= 0.02:  # as good as none: then verifiers can be counted together
        solving = solving._replace(dependence=0.0)
    if intervals["ability"].low95 <= 0 <= intervals["ability"].high95:
        solving = solving._replace(abilities=())
    return solving, intervals


def _changed(solving: Solving, name: str, value: float) -> Solving:
    return solving._replace(dependence=value) if name == "dependence" else solving._replace(abilities=(0.0, value))


def _pairs_apart(votes: Votes) -> int:
    """Attempts of both verifiers that cannot be the same draw: `likelihood` leaves their factor 1 - c out."""
    if len(votes.key) != 2:
        return 0
    return min(votes.by_verifier) - sum(map(min, (votes.key, *votes.rivals)))


def _log_likelihood(terms: Iterable[tuple[int, float, float]], wrong_keys: float) -> float:
    rest = 1 - wrong_keys
    return sum([count * log(rest * right + wrong_keys * wrong) for count, right, wrong in terms])


def _log_beta_density(p: float, a: float, b: float) -> float:
    """Up to a constant; finite at 0 and 1."""
    p = min(max(p, 0.01), 0.99)
    return (a - 1) * log(p) + (b - 1) * log(1 - p)


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return log(p / (1 - p))


def pooled(counted: Proportion | None, mean: float, weight: float = 4.0) -> float:
    """A rate drawn towards the mean over all, which counts for `weight` trials."""
    hits, trials = counted or Proportion()
    return (hits + weight * mean) / (trials + weight)


def by_sight(audits: Audits, overall: JudgeRates) -> tuple[tuple[Saw, JudgeRates], ...]:
    """Rates of a judge by what its blind votes showed it."""
    return tuple(
        (
            saw,
            JudgeRates(
                pooled(audits.caught.get(saw), overall.catch), pooled(audits.refused.get(saw), overall.false_alarm)
            ),
        )
        for saw in sorted({*audits.caught, *audits.refused})
    )
