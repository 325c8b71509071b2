"""pass@k and its intervals."""

import random
from itertools import combinations
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics.passk import estimate, estimate_paired, estimate_spread, pass_at_k, shrink


@given(st.data())
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_sample(data: st.DataObject) -> None:
    samples = data.draw(st.integers(1, 9))
    right, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    draws = list(combinations([at < right for at in range(samples)], k))
    assert isclose(pass_at_k(samples, right, k), sum(map(any, draws)) / len(draws), abs_tol=1e-12)


def test_the_naive_estimate_is_biased_low_and_ours_is_not() -> None:
    dice, chance, samples, k = random.Random(1), 0.2, 8, 4
    counts = [sum(dice.random() < chance for _ in range(samples)) for _ in range(40_000)]
    truth = 1 - (1 - chance) ** k
    ours = sum(pass_at_k(samples, right, k) for right in counts) / len(counts)
    naive = sum(1 - (1 - right / samples) ** k for right in counts) / len(counts)
    assert abs(ours - truth) < 0.005
    assert naive < truth - 0.03


def test_more_than_the_samples_are_no_estimate() -> None:
    with pytest.raises(ValueError, match="at least 9 samples"):
        pass_at_k(8, 3, 9)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    dice, covered = random.Random(2), 0
    for seed in range(100):
        found = estimate([float(dice.random() < 0.4) for _ in range(60)], seed)
        covered += found.low <= 0.4 <= found.high
    assert 88 <= covered <= 100


def test_pairs_show_a_gain_that_two_intervals_would_hide() -> None:
    dice = random.Random(3)
    base = [dice.random() for _ in range(80)]
    better = [value + 0.02 * dice.random() for value in base]
    assert estimate_paired(better, base).excludes_zero
    assert estimate(better).low < estimate(base).high


def test_small_parts_shrink_to_the_mean_and_large_ones_keep_their_score() -> None:
    small, large = [1.0] * 2, [1.0] * 500
    assert shrink(small, 0.5, spread=0.02) < 0.65
    assert shrink(large, 0.5, spread=0.02) > 0.9
    assert estimate_spread([[0.0, 1.0] * 20] * 3, 0.5) == 0


def test_problems_of_a_topic_and_models_of_a_seed_are_resampled_whole() -> None:
    dice, covered = random.Random(4), dict.fromkeys(("topics", "problems"), 0)
    topics = [str(at // 10) for at in range(60)]
    for seed in range(100):
        tilt = {name: dice.gauss(0, 0.3) for name in topics}
        values = [0.4 + tilt[name] + dice.gauss(0, 0.1) for name in topics]
        for name, found in (("topics", estimate(values, seed, topics)), ("problems", estimate(values, seed))):
            covered[name] += found.low <= 0.4 <= found.high
    assert covered["topics"] >= 80 > covered["problems"] + 20
    runs = [[0.5 + shift] * 60 for shift in (-0.2, 0.0, 0.2)]
    assert not estimate_paired(runs, [0.5] * 60).excludes_zero
    assert estimate_paired(runs[2:], [0.5] * 60).excludes_zero
