"""The rate that a process reports about itself."""

from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.recent_rate import WINDOW_S, RecentRate


@given(st.lists(st.floats(0, 40)), st.floats(40, 60))
def test_the_rate_is_that_of_the_last_ten_whole_seconds(times: list[float], now: float) -> None:
    clock = iter([*sorted(times), now])
    rate = RecentRate(lambda: next(clock))
    for _ in times:
        rate.count()
    assert rate.per_second() == sum(int(now) - WINDOW_S <= int(time) < int(now) for time in times) / WINDOW_S
