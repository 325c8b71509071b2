"""What is held out stays hidden from the planner, which would otherwise shape what is grown by it."""

from collections import Counter

import pytest

from schemas.events import ProblemRequested, SampleCurated
from services.planner.demand import expected_yields
from tests.support.planning import NOW, a_plan, curated, rejected, started


def held_out(request: ProblemRequested, **reported: object) -> SampleCurated:
    return curated(request, "aside").with_(split="held_out", views=(), **reported)


@pytest.mark.parametrize(
    "reported", [{"tier": "unsolved"}, {"correct": None}, {"row_hash": "another"}, {"summary": "So."}]
)
def test_held_out_rows_do_not_influence_the_planner(reported: dict[str, object]) -> None:
    planner, state, requests = started(a_plan(rows=40, in_progress=4, physics=1))
    state, _ = planner(state, rejected(requests.pop(), "malformed"), NOW)
    for request in requests:
        assert planner(state, held_out(request, **reported), NOW) == planner(state, held_out(request), NOW)
        after, [another] = planner(state, held_out(request), NOW)
        assert planner(after, held_out(request), NOW) == (after, [])
        assert expected_yields(planner.plan, after) == expected_yields(planner.plan, state)
        assert isinstance(another, ProblemRequested)
        state = after


def test_a_topic_that_is_held_out_whole_is_requested_as_often_as_others() -> None:
    planner, state, requests = started(a_plan(rows=60, in_progress=3, physics=1))
    hidden, requested = requests[0].topic, Counter[str]()
    while requests:
        request = requests.pop(0)
        requested[request.topic.name] += 1
        event = held_out(request) if request.topic == hidden else curated(request, "in")
        state, events = planner(state, event, NOW)
        requests += [event for event in events if isinstance(event, ProblemRequested)]
    assert state.subject("physics").admitted == 60
    assert max(requested.values()) - min(requested.values()) <= 2
