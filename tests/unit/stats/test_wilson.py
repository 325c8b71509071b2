"""Intervals of rates, against what an interval has to be, whatever the formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.stats.wilson import needed, wilson

ROUNDING = 1e-12
COUNTS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_the_interval_contains_the_rate_is_symmetric_and_narrows(
    count: tuple[int, int],
) -> None:
    hits, trials = count
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials + ROUNDING
    assert hits / trials - ROUNDING <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(trials - hits, trials))
    again = wilson(4 * hits, 4 * trials)
    assert again[1] - again[0] < high - low


@given(st.floats(0, 1), st.floats(0.001, 0.9))
def test_the_needed_trials_reach_the_width_and_one_less_does_not(rate: float, width: float) -> None:
    def reached(trials: int) -> float:
        low, high = wilson(rate * trials, trials)
        return high - low

    trials = needed(rate, width)
    assert reached(trials) <= width + 1e-6
    assert trials == 1 or reached(trials - 1) > width - 1e-6


def test_the_numbers_are_those_of_the_literature() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I: Wilson's score method without continuity correction."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(0, 0) == (0, 1)
