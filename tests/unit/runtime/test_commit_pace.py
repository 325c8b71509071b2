"""A sink commits immediately when it was idle, and not once a row for ever."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.commit_pace import BURST, CommitPace

PERIOD_S = 2.0


@given(st.lists(st.floats(0, 100), min_size=1))
def test_commits_are_bounded_over_time_and_none_waits_when_idle(gaps: list[float]) -> None:
    """Records arrive one by one, each after a gap."""
    pace, now, commits = CommitPace(PERIOD_S), 0.0, list[float]()
    for gap in gaps:
        now += gap
        delay = pace.delay_s(now)
        assert delay <= PERIOD_S + 1e-9
        assert delay == 0 or gap < PERIOD_S * BURST
        now += delay
        pace.record(now)
        commits.append(now)
    for first, begin in enumerate(commits):
        for last, end in enumerate(commits[first:], first):
            assert last - first + 1 <= BURST + (end - begin) / PERIOD_S + 1e-6


def test_rows_that_come_each_second_end_in_commits_of_two() -> None:
    pace, now, commits = CommitPace(PERIOD_S), 0.0, list[float]()
    for _ in range(1000):
        now = max(now, float(len(commits) + 1))
        now += pace.delay_s(now)
        pace.record(now)
        commits.append(now)
    assert max(later - earlier for earlier, later in pairwise(commits[:BURST])) <= 1
    assert min(later - earlier for earlier, later in pairwise(commits[-100:])) == PERIOD_S
