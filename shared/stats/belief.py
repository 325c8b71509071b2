"""Belief: how probable is it that the key of a problem is right, given everything that was observed?

The model. A problem has a solve rate s from Beta(a, b) and one common error, a wrong answer that a wrong attempt gives
with chance r from Beta(2ρ, 2(1-ρ)). Other wrong answers are single, and repeat with a small chance ε. A share w of the
keys is wrong: half of these (σ) are the common error, the rest misprints that nobody derives. Blind votes are grouped
into candidates: the key, each rival answer, and what nobody has given. A hypothesis says which candidate is the truth
and which the common error; belief is the posterior of those in which the key is the truth.

A judge that sees the key passes a right one with chance 1 - f and catches a wrong one with chance d; both may differ
by what its own blind votes showed it. An adjudicator that sees two candidates without labels is right with chance α.
Two verifiers may be dependent: with chance c an attempt of one is the same draw as an attempt of the other.
Verifiers of unequal ability have log-odds of solving that differ by a constant (the Rasch model).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import comb, exp, factorial, lgamma, log
from typing import NamedTuple

from shared.stats.belief_model import KEY, Adjudication, Belief, Evidence, JudgeRates, Parameters, Solving, Votes
from shared.stats.quadrature import average_chance

_CHOICE = {KEY: "key", None: "neither"}


def belief(evidence: Evidence, parameters: Parameters) -> Belief:
    """What the evidence comes to. Raises ValueError where votes are counted for different numbers of verifiers."""
    weights = truth_weights(evidence, parameters)
    total, unseen = sum(weights.values()), len(evidence.votes.rivals)
    return Belief(
        weights[KEY] / total, tuple(weights[index] / total for index in range(unseen)), weights[unseen] / total
    )


def truth_weights(evidence: Evidence, parameters: Parameters) -> dict[int, float]:
    """Probability of the evidence together with each truth, up to a factor common to all votes.

    By candidate: KEY, the index of a rival, and the number of rivals for an answer that nobody has given.
    """
    order = sorted(range(len(evidence.votes.rivals)), key=lambda index: evidence.votes.rivals[index], reverse=True)
    votes = likelihood(canonical(evidence.votes, parameters.solving), parameters.solving, evidence.guess)
    right, wrong = judgement_likelihood(evidence, parameters)
    weights = {KEY: right * (1 - parameters.wrong_keys) * votes.key}
    for place, index in enumerate([*order, len(order)]):
        weights[index] = wrong * weight_of_wrong(votes.common_error[place], votes.misprint[place], parameters)
    if evidence.adjudications:
        _weigh_adjudications(weights, evidence.adjudications, parameters)
    return weights


def key_weights(evidence: Evidence, parameters: Parameters) -> tuple[float, float]:
    """Probability of the evidence if the key is right, and if it is wrong; up to a factor common to all votes."""
    weights = truth_weights(evidence, parameters)
    right = weights.pop(KEY)
    return right / (1 - parameters.wrong_keys), sum(weights.values()) / parameters.wrong_keys


def canonical_evidence(evidence: Evidence, solving: Solving) -> Evidence:
    """The same for evidence that the model cannot tell apart: rivals by their votes, then by their adjudications.

    Every adjudication is between the key and a rival.
    """
    votes = _merged(evidence.votes, solving)
    choices = [
        tuple(sorted(_CHOICE.get(one.chosen, "rival") for one in evidence.adjudications if index in one.pair))
        for index in range(len(votes.rivals))
    ]
    order = sorted(range(len(choices)), key=lambda index: (votes.rivals[index], choices[index]), reverse=True)
    adjudications = tuple(
        Adjudication((KEY, place), {"key": KEY, "rival": place, "neither": None}[choice])
        for place, index in enumerate(order)
        for choice in choices[index]
    )
    rivals = tuple(votes.rivals[index] for index in order)
    return evidence._replace(votes=Votes(votes.key, rivals), adjudications=adjudications)


class Likelihood(NamedTuple):
    """Chance of the votes, by what is assumed of the key; rivals in the order of the votes, then what is unseen."""

    key: float
    """The key is the truth."""
    common_error: tuple[float, ...]
    """The key is the common error, and this is the truth."""
    misprint: tuple[float, ...]
    """The key is neither, and this is the truth."""


def weight_of_wrong(common_error: float, misprint: float, parameters: Parameters) -> float:
    """The share of wrong keys times what speaks for each kind of them."""
    share = parameters.common_error_keys
    return parameters.wrong_keys * (share * common_error + (1 - share) * misprint)


def canonical(votes: Votes, solving: Solving) -> Votes:
    """The same for votes that the model cannot tell apart: rivals by size; equal, independent verifiers as one."""
    key, rivals = _merged(votes, solving)
    return Votes(key, tuple(sorted(rivals, reverse=True)))


def _merged(votes: Votes, solving: Solving) -> Votes:
    """Equal, independent verifiers as one."""
    if any(solving.abilities) or solving.dependence:
        return votes
    return Votes((sum(votes.key),), tuple((sum(rival),) for rival in votes.rivals))


def judgement_likelihood(evidence: Evidence, parameters: Parameters) -> tuple[float, float]:
    """Probability of the judgements, if the key is right and if it is wrong; a factor common to both is left out."""
    rates = tuple((one.passed, parameters.rates(one.saw)) for one in evidence.judgements)
    return _judgement_likelihood(rates, evidence.undetermined, parameters.judge, parameters.solving.dependence)


@lru_cache(maxsize=1 << 12)
def _judgement_likelihood(
    rates: tuple[tuple[bool, JudgeRates], ...], undetermined: int, judge: JudgeRates, dependence: float
) -> tuple[float, float]:
    right, wrong = (_judgements(rates, dependence, right=right) for right in (True, False))
    refuses = judge._replace(false_alarm=max(judge.false_alarm, 1e-3))
    right *= refuses.chance(passed=False, right=True) ** undetermined
    wrong *= refuses.chance(passed=False, right=False) ** undetermined
    return right, wrong


def _judgements(rates: Sequence[tuple[bool, JudgeRates]], dependence: float, *, right: bool) -> float:
    chances = [each.chance(passed=passed, right=right) for passed, each in rates]
    apart = 1.0
    for chance in chances:
        apart *= chance
    if len(rates) == 2 and rates[0][0] == rates[1][0]:
        return dependence * min(chances) + (1 - dependence) * apart
    return apart


def _weigh_adjudications(
    weights: dict[int, float], adjudications: Iterable[Adjudication], parameters: Parameters
) -> None:
    """Multiply the weight of each truth by the chances of what was chosen."""
    alpha, beta = parameters.adjudicator, 1 - parameters.adjudicator
    neither = parameters.neither / max(alpha, beta)
    chooses, outside = 1 - neither * beta, (1 - neither * alpha) / 2
    for pair, chosen in adjudications:
        for truth in weights:
            if chosen is None:
                weights[truth] *= beta if truth in pair else alpha
            elif truth in pair:
                weights[truth] *= chooses * (alpha if truth == chosen else beta)
            else:
                weights[truth] *= outside


@lru_cache(maxsize=1 << 18)
def likelihood(votes: Votes, solving: Solving, guess: float = 0.0) -> Likelihood:
    """Chance of the votes under each hypothesis, up to a factor common to all. Give canonical votes: it caches."""
    parts = [
        (weight, _likelihood((distinct.key, *distinct.rivals), solving, guess))
        for weight, distinct in _distinct_draws(votes, solving.dependence)
    ]
    rivals = range(len(votes.rivals) + 1)
    return Likelihood(
        sum(weight * part.key for weight, part in parts),
        tuple(sum(weight * part.common_error[index] for weight, part in parts) for index in rivals),
        tuple(sum(weight * part.misprint[index] for weight, part in parts) for index in rivals),
    )


def _distinct_draws(votes: Votes, dependence: float) -> Iterator[tuple[float, Votes]]:
    """Ways in which votes of two dependent verifiers may be the same draws, with weights, and what is left of them.

    Votes of others than the first two are draws of their own. Which attempt goes with which is not used, so the order
    of votes does not matter: all ways of pairing are alike.
    Votes that cannot be the same draw cost a factor 1 - c under every hypothesis, which is left out.
    """
    if not dependence or len(votes.key) < 2:
        yield 1.0, votes
        return
    candidates = (votes.key, *votes.rivals)
    most, rounds = sum(min(counts[:2]) for counts in candidates), max(votes.by_verifier[:2])
    for copies in product(*(range(min(counts[:2]) + 1) for counts in candidates)):
        copied = sum(copies)
        weight = dependence**copied * (1 - dependence) ** (most - copied) * factorial(rounds - copied)
        for (one, other, *_), same in zip(candidates, copies, strict=True):
            weight *= factorial(same) * comb(one, same) * comb(other, same)
        if weight:
            key, *rivals = (
                (one, other - same, *rest) for (one, other, *rest), same in zip(candidates, copies, strict=True)
            )
            yield weight / factorial(rounds), Votes(key, tuple(rivals))


def _likelihood(candidates: Sequence[tuple[int, ...]], solving: Solving, guess: float) -> Likelihood:
    """The sum over all pairs of truth and common error; the candidates are the key, the rivals, and what is unseen."""
    candidates = [*candidates, (0,) * len(candidates[0])]
    counts, unseen, total = [sum(each) for each in candidates], len(candidates) - 1, sum(map(sum, candidates))
    by_verifier = [sum(column) for column in zip(*candidates, strict=True)]
    repeated = [counts[0] * log(max(solving.repeat, guess))]
    repeated += [(count - 1) * log(solving.repeat) for count in counts[1:unseen]] + [0.0]
    all_repeated = sum(repeated)
    key, common_error, misprint = 0.0, [0.0] * unseen, [0.0] * unseen
    for truth, hits in enumerate(candidates):
        misses = tuple(all_ - right for all_, right in zip(by_verifier, hits, strict=True))
        solved = _solve_likelihood(hits, misses, solving, guess if truth == 0 else 0.0)
        for error in range(len(candidates)):
            if truth == error != unseen:
                continue
            others = total - counts[truth] - counts[error]
            weight = solved * exp(all_repeated - repeated[truth] - repeated[error])
            weight *= _error_likelihood(counts[error], others, solving, guess if error == 0 else 0.0)
            if truth == 0:
                key += weight
            elif error == 0:
                common_error[truth - 1] += weight
            else:
                misprint[truth - 1] += weight
    return Likelihood(key, tuple(common_error), tuple(misprint))


def _solve_likelihood(hits: tuple[int, ...], misses: tuple[int, ...], solving: Solving, guess: float) -> float:
    """Chance that the attempts are right and wrong as they were, over the solve rates of problems."""
    if any(solving.abilities):
        return average_chance(solving.a, solving.b, solving.abilities, hits, misses, guess)
    return _beta_average(sum(hits), sum(misses), solving.a, solving.b, guess)


def _error_likelihood(same: int, others: int, solving: Solving, guess: float) -> float:
    """Probability that this many wrong attempts gave the common error and the others did not."""
    rho = min(max(solving.error_agreement, solving.least_agreement), 1 - solving.least_agreement)
    return _beta_average(same, others, 2 * rho, 2 * (1 - rho), guess)


@lru_cache(maxsize=1 << 16)
def _beta_average(hits: int, misses: int, a: float, b: float, guess: float) -> float:
    """Mean of (p + (1-p) guess)^hits (1-p)^misses over p from Beta(a, b), in closed form."""
    chosen = range(hits + 1) if guess else (hits,)
    return sum(
        comb(hits, k) * guess ** (hits - k) * exp(_log_beta(a + k, b + misses + hits - k) - _log_beta(a, b))
        for k in chosen
    )


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
