"""What a ledger of items says of the parameters of belief: likelihoods, summed over the hypotheses about each item."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import exp, log
from typing import Any, NamedTuple

from shared.stats.belief import canonical_evidence, key_weights
from shared.stats.belief_model import RARE_AGREEMENT, RARE_REPEAT, Evidence, JudgeRates, Parameters, Saw, Votes
from shared.stats.grid_posterior import Axes, Interval, Point, axis, grid_posterior, interval

RHO_STEP = 0.02
"""Of the agreement of errors, so that likelihoods are computed once for all ledgers."""
REWORDED = 0.1
"""Chance that one answer, given twice, is written so differently that rules cannot tell that it is the same."""
_PRIOR_W, _PRIOR_RHO = (1.0, 4.0), (1.2, 2.8)
"""Beta priors whose means are the defaults; they weigh as much as five and four problems whose truth is known."""


class Observation(NamedTuple):
    """What was seen of an item, and whether a person says that its key is right."""

    evidence: Evidence
    label: bool | None = None
    others: tuple[Evidence, ...] = ()
    """What else the evidence may be, where it is unknown whether some answers are the same."""

    @classmethod
    def of(cls, possible: Sequence[Evidence], label: bool | None) -> "Observation | None":
        """`None` without evidence."""
        return cls(possible[0], label, tuple(possible[1:])) if possible else None

    @property
    def possible(self) -> tuple[Evidence, ...]:
        return (self.evidence, *self.others)


class Proportion(NamedTuple):
    """Successes among trials."""

    hits: int = 0
    trials: int = 0


NONE = Proportion()
RANGES = {"dependence": (0.0, 1.0), "ability": (-3.0, 3.0), "neither": (0.0, 1.0)}
"""What `refine` estimates: c, the ability of the second verifier relative to the first in log-odds, and ν."""


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


def observed_weights(observation: Observation, parameters: Parameters) -> tuple[float, float]:
    """Probability of what was seen of an item if its key is right, and if it is wrong, up to a common factor."""
    right = wrong = 0.0
    distinct = max(1 - parameters.solving.dependence, 1e-6)
    most = max(len(one.votes.rivals) for one in observation.possible)
    for evidence in observation.possible:
        of_right, of_wrong = key_weights(evidence, parameters)
        factor = REWORDED ** (most - len(evidence.votes.rivals)) * distinct ** _pairs_apart(evidence.votes)
        right, wrong = right + factor * of_right, wrong + factor * of_wrong
    return right * (observation.label is not False), wrong * (observation.label is not True)


class Ledger:
    """Counts of observations, ready to be weighed with many parameters."""

    def __init__(self, observed: Mapping[Observation, int], start: Parameters) -> None:
        """`start`: what is not estimated from the ledger."""
        self._start = replace(start, solving=start.solving._replace(repeat=RARE_REPEAT, least_agreement=RARE_AGREEMENT))
        self._items, self._neither = Counter[Observation](), 0
        for one, count in observed.items():
            evidence, *others = (canonical_evidence(each, start.solving) for each in one.possible)
            self._items[one._replace(evidence=evidence, others=tuple(others))] += count
            self._neither += count * sum(each.chosen is None for each in evidence.adjudications)

    def posterior(self, caught: Proportion) -> list[tuple[float, Parameters]]:
        """Of w, ρ and, where audits counted it, d."""
        d = axis(0.02, 0.98, 7) if caught.trials else [self._start.judge.catch]
        axes = [axis(0.005, 0.9, 7), axis(0.0, 0.9, 7, RHO_STEP), d]

        def log_density(axes: Axes) -> Iterable[tuple[float, Point]]:
            for rho, catch in product(axes[1], axes[2]):
                terms = self._terms(self._with(0.5, rho, catch))
                prior = caught.hits * log(catch) + (caught.trials - caught.hits) * log(1 - catch)
                prior += _log_beta_density(rho, *_PRIOR_RHO)
                for w in axes[0]:
                    yield prior + _log_likelihood(terms, w) + _log_beta_density(w, *_PRIOR_W), (w, rho, catch)

        points = grid_posterior(log_density, axes, (0.0, RHO_STEP, 0.0))
        kept = [(weight, point) for weight, point in points if weight > 1e-5]
        return [(weight / sum(weight for weight, _ in kept), self._with(*point)) for weight, point in kept]

    def log_likelihood(self, parameters: Parameters) -> float:
        """Of the whole ledger, up to a constant."""
        of_neither = self._neither * log(max(parameters.neither, 1e-3))
        return _log_likelihood(self._terms(parameters), parameters.wrong_keys) + of_neither

    def _with(self, wrong_keys: float, error_agreement: float, catch: float) -> Parameters:
        solving = self._start.solving._replace(error_agreement=error_agreement)
        return replace(with_catch(self._start, catch), wrong_keys=wrong_keys, solving=solving)

    def _terms(self, parameters: Parameters) -> list[tuple[int, float, float]]:
        """For each kind of item: how many, its chance with a right key, and with a wrong one."""
        return [(count, *observed_weights(one, parameters)) for one, count in self._items.items()]


def refine(
    observed: Mapping[Observation, int], mean: Parameters, names: Collection[str]
) -> tuple[Parameters, dict[str, Interval]]:
    """Estimate some of `RANGES` one after the other, and return the parameters with their means, and their intervals.

    The other parameters stay at their means, so the intervals are a little too narrow.
    """
    intervals, one = dict[str, Interval](), mean

    def log_density(name: str, axes: Axes) -> Iterable[tuple[float, Point]]:
        for value in axes[0]:
            parameters = _changed(one, name, value)
            yield Ledger(observed, parameters).log_likelihood(parameters), (value,)

    for name in (*names, *names):
        points = grid_posterior(lambda axes, name=name: log_density(name, axes), [axis(*RANGES[name], 7)], (0.0,))  # type: ignore[misc]
        intervals[name] = interval((weight, value) for weight, (value,) in points)
        one = _changed(one, name, intervals[name].mean)
    if "dependence" in names and intervals["dependence"].low95 <= 0.02:  # as good as none: count verifiers together
        one = _changed(one, "dependence", 0.0)
    if "ability" in names and intervals["ability"].low95 <= 0 <= intervals["ability"].high95:
        one = replace(one, solving=one.solving._replace(abilities=()))
    return one, intervals


def _changed(parameters: Parameters, name: str, value: float) -> Parameters:
    if name == "neither":
        return replace(parameters, neither=value)
    change: dict[str, Any] = {"dependence": value} if name == "dependence" else {"abilities": (0.0, value)}
    return replace(parameters, solving=parameters.solving._replace(**change))


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
