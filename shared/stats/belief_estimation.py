"""The parameters of belief, and the share of wrong keys among rows, with intervals, where nobody knows the truth.

The share w of wrong keys and the agreement ρ of errors are in the patterns of votes: the likelihood of a ledger is the
product over items, summed over the hypotheses about each. Audits of keys known to be wrong say how often a judge
catches one (d), given what its blind votes showed it; controls how often it refuses a right key (f); both say how
often an adjudicator is right (α). People's reviews fix the hypothesis of single items. That votes stop early does no
harm: when they stop depends only on what was seen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from shared.stats.belief_model import JudgeRates, Parameters
from shared.stats.grid_posterior import Interval, beta_interval, interval, mixture_interval
from shared.stats.ledger import (
    Audits,
    Ledger,
    Observation,
    Proportion,
    by_sight,
    observed_weights,
    refine,
    total,
    with_catch,
)

ASSUMED = Parameters()
NO_AUDITS = Audits({}, {})


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the evidence says of the parameters."""

    parameters: Parameters
    """Means."""
    cautious: Parameters
    """At the ends of the 80 % intervals that make wrong keys likelier."""
    intervals: Mapping[str, Interval]
    """By name: wrong_keys, error_agreement, and what else was estimated."""
    assumed: tuple[str, ...]
    """Names of the parameters that nothing was counted for: they are at their defaults."""
    posterior: Sequence[tuple[float, Parameters]]
    """Weights that add up to 1, and parameters."""
    items: int


def estimate(
    observed: Mapping[Observation, int],
    audits: Audits = NO_AUDITS,
    assumed: Parameters = ASSUMED,
    *,
    verifiers_differ: bool = False,
) -> Estimate:
    """Estimate from counts of observations; `verifiers_differ`: also the abilities and dependence of two verifiers."""
    start, intervals, names = _from_audits(audits, assumed)
    if not observed:
        return Estimate(start, start, intervals, ("wrong_keys", "error_agreement", *names), [(1.0, start)], 0)
    caught = total(audits.caught.values())
    points = Ledger(observed, start).posterior(caught)
    further = ["dependence", "ability"] if verifiers_differ else []
    further += ["neither"] if any(one.evidence.adjudications for one in observed) else []
    if further:
        one, found = refine(observed, _mean(points), further)
        start, intervals = replace(start, solving=one.solving, neither=one.neither), intervals | found
        points = Ledger(observed, start).posterior(caught)
    intervals["wrong_keys"] = interval((weight, one.wrong_keys) for weight, one in points)
    intervals["error_agreement"] = interval((weight, one.solving.error_agreement) for weight, one in points)
    if caught.trials:
        intervals["catch"] = interval((weight, one.judge.catch) for weight, one in points)
    mean = _mean(points)
    return Estimate(mean, _cautious(mean, intervals), intervals, names, points, sum(observed.values()))


def wrong_share(estimate: Estimate, accepted: Mapping[Observation, int]) -> Interval:
    """Share of wrong keys among accepted items: 1 - belief, averaged over items and over the parameters.

    The interval holds what is unknown of the parameters and what is left to chance in as many items.
    """
    items = sum(accepted.values())
    if not items:
        return Interval(0.0, 0.0, 1.0, 0.0, 1.0)
    parts = list[tuple[float, float, float]]()
    for weight, parameters in estimate.posterior:
        doubts = [(count, 1 - _believed(one, parameters)) for one, count in accepted.items()]
        variance = sum(count * doubt * (1 - doubt) for count, doubt in doubts) / items**2
        parts.append((weight, sum(count * doubt for count, doubt in doubts) / items, sqrt(variance)))
    return mixture_interval(parts, 1 / items)


def _believed(observation: Observation, parameters: Parameters) -> float:
    right, wrong = observed_weights(observation, parameters)
    right, wrong = right * (1 - parameters.wrong_keys), wrong * parameters.wrong_keys
    return right / (right + wrong)


def _from_audits(audits: Audits, assumed: Parameters) -> tuple[Parameters, dict[str, Interval], tuple[str, ...]]:
    """Parameters that audits count directly, their intervals, and the names of those that stay at their defaults."""
    intervals, names = dict[str, Interval](), list[str]()

    def mean(name: str, counted: Proportion, default: float, strength: float) -> float:
        if not counted.trials:
            names.append(name)
            return default
        a = default * strength + counted.hits
        b = (1 - default) * strength + counted.trials - counted.hits
        intervals[name] = beta_interval(a, b)
        return a / (a + b)

    judge = JudgeRates(
        mean("catch", total(audits.caught.values()), assumed.judge.catch, 2),
        mean("false_alarm", total(audits.refused.values()), assumed.judge.false_alarm, 20),
    )
    adjudicator = mean("adjudicator", audits.adjudicated, assumed.adjudicator, 4)
    rates = by_sight(audits, judge)
    return replace(assumed, judge=judge, judge_by_sight=rates, adjudicator=adjudicator), intervals, tuple(names)


def _mean(points: Sequence[tuple[float, Parameters]]) -> Parameters:
    """The numbers of the posterior at their means."""

    def mean(value: Callable[[Parameters], float]) -> float:
        return sum(weight * value(parameters) for weight, parameters in points)

    one = with_catch(points[0][1], mean(lambda each: each.judge.catch))
    rho = mean(lambda each: each.solving.error_agreement)
    return replace(
        one, wrong_keys=mean(lambda each: each.wrong_keys), solving=one.solving._replace(error_agreement=rho)
    )


def _cautious(mean: Parameters, intervals: Mapping[str, Interval]) -> Parameters:
    catch, alpha = intervals.get("catch"), intervals.get("adjudicator")
    one = with_catch(mean, catch.low80) if catch else mean
    return replace(
        one,
        wrong_keys=intervals["wrong_keys"].high80,
        solving=mean.solving._replace(error_agreement=intervals["error_agreement"].high80),
        adjudicator=alpha.low80 if alpha else mean.adjudicator,
    )
