"""Belief: against an enumeration by hand, and what must hold whatever the votes are."""

from collections.abc import Iterator
from dataclasses import replace
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.stats.belief import belief
from shared.stats.belief_model import KEY, Adjudication, Evidence, JudgeRates, JudgeResult, Parameters, Solving, Votes

counts = st.lists(st.integers(1, 4), max_size=4).map(lambda found: tuple((count,) for count in found))
votes = st.builds(Votes, key=st.tuples(st.integers(0, 5)), rivals=counts)
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(any), max_size=3).map(tuple)
votes_of_two = st.builds(Votes, key=st.tuples(st.integers(0, 2), st.integers(0, 2)), rivals=pairs)
shares = st.floats(0.02, 0.9)
judgements = st.lists(st.builds(JudgeResult, st.booleans()), max_size=2).map(tuple)
parameters = st.builds(
    lambda w, rho, d: Parameters(wrong_keys=w, solving=Solving(error_agreement=rho), judge=JudgeRates(d)),
    shares,
    shares,
    shares,
)


@given(votes, judgements, parameters, st.sampled_from([0.0, 1 / 12, 1 / 2]))
def test_belief_equals_an_enumeration_of_truth_and_common_error(
    votes: Votes, judgements: tuple[JudgeResult, ...], parameters: Parameters, guess: float
) -> None:
    found = belief(Evidence(votes, judgements, guess=guess), parameters)
    expected = _enumerated(votes, judgements, parameters, guess)
    for one, other in zip((found.key, *found.rivals, found.unseen), expected, strict=True):
        assert abs(one - other) < 1e-12


def _enumerated(votes: Votes, judgements: tuple[JudgeResult, ...], p: Parameters, guess: float) -> list[float]:
    """Every vote in turn, with chances that are updated after each (a Pólya urn) and mixed where guesses may hit."""
    sequence = [0] * votes.key[0] + [i + 1 for i, (count,) in enumerate(votes.rivals) for _ in range(count)]
    candidates = len(votes.rivals) + 2
    weights = [0.0] * candidates
    for truth in range(candidates):
        for error in range(candidates):
            if truth == error and truth != candidates - 1:
                continue
            prior = 1 - p.wrong_keys if truth == 0 else p.wrong_keys / 2
            weights[truth] += prior * sum(_walk(sequence, truth, error, p, guess))
    for passed, _ in judgements:
        f, d = 0.05, min(max(p.judge.catch, 0.05), 0.99)
        weights[0] *= (1 - f) / (1 - d) if passed else f / d
    return [weight / sum(weights) for weight in weights]


def _walk(sequence: list[int], truth: int, error: int, p: Parameters, guess: float) -> Iterator[float]:
    """Weights of all ways in which the votes came about; a hit may be a guess."""
    rho = min(max(p.solving.error_agreement, 0.01), 0.99)
    # weight, right and wrong votes so far (as parameters of Beta), common errors and other errors so far
    ways = [(1.0, 0.6, 1.0, 2 * rho, 2 * (1 - rho))]
    seen = set[int]()
    for vote in sequence:
        chance, g = [], guess if vote == 0 else 0.0
        for weight, right, wrong, same, other in ways:
            solve, err = right / (right + wrong), same / (same + other)
            if vote == truth:
                chance.append((weight * solve, right + 1, wrong, same, other))
                if g:
                    chance.append((weight * (1 - solve) * g, right, wrong + 1, same, other))
            elif vote == error:
                chance.append((weight * (1 - solve) * err, right, wrong + 1, same + 1, other))
                if g:
                    chance.append((weight * (1 - solve) * (1 - err) * g, right, wrong + 1, same, other + 1))
            else:
                cost = max(0.03, g) if vote == 0 else 0.03 if vote in seen else 1.0
                chance.append((weight * (1 - solve) * (1 - err) * cost, right, wrong + 1, same, other + 1))
        ways = chance
        seen.add(vote)
    return (way[0] for way in ways)


@given(votes_of_two, parameters)
def test_quadrature_equals_the_closed_form_for_equal_abilities(votes: Votes, parameters: Parameters) -> None:
    barely = replace(parameters, solving=parameters.solving._replace(abilities=(1e-13, 0.0)))
    one, other = belief(Evidence(votes), parameters), belief(Evidence(votes), barely)
    assert abs(one.key - other.key) < 1e-9


@given(votes, judgements, parameters, st.integers(0, 5), st.booleans())
def test_belief_is_a_distribution_over_candidates(
    votes: Votes, judgements: tuple[JudgeResult, ...], parameters: Parameters, undetermined: int, chosen: bool
) -> None:
    adjudications = (Adjudication((KEY, 0), KEY if chosen else None),) if votes.rivals else ()
    found = belief(Evidence(votes, judgements, undetermined, adjudications), parameters)
    everything = (found.key, *found.rivals, found.unseen)
    assert all(0 <= share <= 1 for share in everything)
    assert isclose(sum(everything), 1)


@given(st.integers(0, 8), parameters, st.floats(0, 0.65))
def test_belief_grows_with_each_hit_while_no_other_answer_has_a_vote(
    hits: int, parameters: Parameters, rho: float
) -> None:
    """Where errors agree in more than two thirds of all cases, a second hit rather shows that the key is the error."""
    parameters = parameters.with_(error_agreement=rho)
    fewer, more = (belief(Evidence(Votes((count,))), parameters).key for count in (hits, hits + 1))
    assert more > fewer


@given(votes_of_two, parameters, st.floats(0, 1), st.randoms())
def test_the_order_of_rivals_does_not_matter(votes: Votes, parameters: Parameters, c: float, rng: object) -> None:
    dependent = replace(parameters, solving=parameters.solving._replace(dependence=c))
    turned = Votes(votes.key, votes.rivals[::-1])
    one, other = belief(Evidence(votes), dependent), belief(Evidence(turned), dependent)
    assert isclose(one.key, other.key)
    assert one.rivals == pytest.approx(other.rivals[::-1])


@given(parameters)
def test_before_any_evidence_a_key_is_right_with_chance_1_minus_w(parameters: Parameters) -> None:
    assert belief(Evidence(), parameters).key == pytest.approx(1 - parameters.wrong_keys)


@given(votes, parameters)
def test_two_verifiers_that_are_one_model_weigh_as_one(votes: Votes, parameters: Parameters) -> None:
    one_model = replace(parameters, solving=parameters.solving._replace(dependence=1.0))
    twice = Votes(votes.key * 2, tuple(rival * 2 for rival in votes.rivals))
    judged_twice = Evidence(twice, (JudgeResult(True), JudgeResult(True)))
    once = belief(Evidence(votes, (JudgeResult(True),)), parameters)
    assert belief(judged_twice, one_model).key == pytest.approx(once.key)


def test_hits_that_a_guess_explains_weigh_less() -> None:
    certain, guessed = (belief(Evidence(Votes((2,)), guess=g), Parameters()).key for g in (0.0, 0.5))
    assert 0.8 < guessed < certain


def test_a_weaker_verifiers_votes_weigh_less() -> None:
    weak = replace(Parameters(), solving=Solving(abilities=(0.0, -2.0)))
    missed, hit = Evidence(Votes((1, 0), ((0, 1),))), Evidence(Votes((0, 1)))
    assert belief(missed, weak).key > belief(missed, Parameters()).key
    assert belief(hit, weak).key < belief(hit, Parameters()).key


def test_an_adjudication_moves_belief_by_how_often_it_is_right() -> None:
    evidence = Evidence(Votes((1,), ((1,),)))
    before, sides = belief(evidence, Parameters()), [KEY, 0, None]
    after = [belief(evidence._replace(adjudications=(Adjudication((KEY, 0), side),)), Parameters()) for side in sides]
    assert after[0].key > before.key > after[1].key
    assert after[1].rivals[0] > before.rivals[0] > after[0].rivals[0]
    odds = [one.key / one.rivals[0] for one in (before, *after)]
    assert odds[1:] == pytest.approx([3 * odds[0], odds[0] / 3, odds[0]])
