"""Which topic the planner asks, in which way, and when it asks for new ones."""

from collections import Counter

import pytest

from schemas.config.plan import Subject
from schemas.events import ProblemRequested, SubjectRequested
from schemas.item import Example, Problem
from services.planner.demand import MAX_REQUEST_RATIO, pick, wanted_in_flight
from services.planner.endings import MAX_FAILURES
from services.planner.handler import Planner
from services.planner.state import CLOSE_AFTER, State
from tests.support.planning import NOW, a_plan, a_topic, closed, curated, deleted, expanded, rejected, started


@pytest.mark.parametrize(
    ("reason", "why"), [("malformed", "defects"), ("repeat", "repeats"), ("too_easy", None), ("unsolved", None)]
)
def test_a_topic_is_closed_for_defects_or_repeats_but_not_for_being_hard(reason: str, why: str | None) -> None:
    planner, state, requests = started(a_plan(rows=20, in_progress=1, physics=1))
    bad = requests[0].topic
    for _ in range(20 * CLOSE_AFTER):
        request = requests.pop()
        event = rejected(request, reason) if request.topic == bad else curated(request, "aside")
        state, events = planner(state, event, NOW)
        requests += [event for event in events if isinstance(event, ProblemRequested)]
    assert {name: closed(state, name) for name in ("defects", "repeats")} == {
        name: [bad.name] if name == why else [] for name in ("defects", "repeats")
    }
    assert state.subject("physics").topics[0].requested == (CLOSE_AFTER if why else 41)


def test_a_topic_of_many_rows_is_not_given_up_for_a_few_defects_in_a_row() -> None:
    """Of 2,000 rows that were one third defective, six topics were given up by chance alone."""
    planner, state, [request] = started(a_plan(rows=400, in_progress=1, physics=1))
    state = state.with_subject("physics", topics=state.subject("physics").topics[:1], exhausted=True)
    for event in [curated] * 10 + [rejected] * 10:
        assert not state.subject("physics").topics[0].closed
        state, events = planner(state, event(request, "in" if event is curated else "malformed"), NOW)
        [request] = [event for event in events if isinstance(event, ProblemRequested)] or [request]
    assert closed(state, "defects") == ["physics 0"]


def test_repeats_neither_count_as_defects_nor_interrupt_them() -> None:
    planner, state, requests = started(a_plan(rows=20, in_progress=1, physics=1))
    state = state.with_subject("physics", topics=state.subject("physics").topics[:1], exhausted=True)
    for number in range(2 * CLOSE_AFTER - 1):
        assert not closed(state, "defects")
        state, events = planner(state, rejected(requests.pop(), "repeat" if number % 2 else "malformed"), NOW)
        requests += [event for event in events if isinstance(event, ProblemRequested)]
    assert len(closed(state, "defects")) == 1


def test_the_least_covered_topic_is_next_but_a_hard_one_takes_not_all() -> None:
    planner, state, requests = started(a_plan(rows=60, in_progress=3, physics=1))
    hard = requests[0].topic
    for _ in range(60):
        request = requests.pop(0)
        event = rejected(request, "unsolved") if request.topic == hard else curated(request, "in")
        state, events = planner(state, event, NOW)
        requests += [event for event in events if isinstance(event, ProblemRequested)]
    first, *others = state.subject("physics").topics
    assert abs(others[0].good - others[1].good) <= 1
    assert (
        max(one.requested for one in others)
        < first.requested
        <= MAX_REQUEST_RATIO * (1 + sum(one.requested for one in (first, *others)) / 3) + 1
    )


def test_demand_is_computed_from_the_yield_of_the_requested_topic() -> None:
    """Ten rows of one half are lacking; by the subject's mean it would be the same for both."""
    plan = a_plan(rows=10, in_progress=100, physics=1)
    _, state, _ = started(plan)
    poor, rich = [
        state.with_(in_flight={}).with_subject(
            "physics",
            topics=tuple(topic.with_(ended=100, good=good) for topic in state.subject("physics").topics),
            ended=100,
            good=50,
        )
        for good in (25, 75)
    ]
    assert wanted_in_flight(plan, poor)["physics"] > 1.8 * wanted_in_flight(plan, rich)["physics"]


def test_each_request_suggests_another_approach_and_lists_what_exists() -> None:
    planner, state, [request] = started(a_plan(rows=400, in_progress=1, physics=1))
    state = state.with_subject("physics", topics=state.subject("physics").topics[:1], exhausted=True)
    requests = [request]
    for number in range(20):
        row = curated(requests[-1], "in").with_(summary=f"Problem {number}")
        state, [event] = planner(state, row, NOW)
        assert isinstance(event, ProblemRequested)
        requests.append(event)
    assert len({(one.technique, one.structure) for one in requests}) == 21
    assert requests[-1].avoid == tuple(f"Problem {number}" for number in range(12, 20))
    state, [event] = planner(state, rejected(requests[-1], "unsolved"), NOW)
    assert isinstance(event, ProblemRequested)
    assert event.avoid == requests[-1].avoid


def test_a_request_shows_accepted_problems_of_other_topics_in_turn() -> None:
    planner, state, requests = started(a_plan(rows=400, in_progress=3, physics=1))
    shown: dict[str, Counter[str]] = {}
    for _ in range(30):
        request = requests.pop(0)
        example = Example(statement=request.topic.name, answer="4")
        state, events = planner(state, curated(request, "in").with_(example=example), NOW)
        [following] = [event for event in events if isinstance(event, ProblemRequested)]
        requests.append(following)
        shown.setdefault(following.topic.name, Counter()).update(one.statement for one in following.examples or ())
    assert all(set(others) == set(shown) - {topic} for topic, others in shown.items())
    assert len(requests[-1].examples or ()) == 2


def test_a_deleted_row_is_no_example_any_more() -> None:
    planner, state, [request, *_] = started(a_plan(rows=400, in_progress=3, physics=1))
    row = curated(request, "in").with_(example=Example(statement="p", answer="4"))
    state, _ = planner(state, row, NOW)
    assert [one.row for one in state.examples or ()] == [request.id]
    assert State.model_validate_json(state.model_dump_json()) == state
    state, _ = planner(state, deleted(request, "in"), NOW)
    assert state.examples is None


def test_a_request_lists_the_latest_rejections_with_reasons() -> None:
    planner, state, [request] = started(a_plan(rows=400, in_progress=1, physics=1))
    state = state.with_subject("physics", topics=state.subject("physics").topics[:1], exhausted=True)
    assert request.rejections is None
    for reason in ("malformed", "repeat", "key_disputed", "not_unique"):
        event = rejected(request, reason).with_(detail="two say\n4")
        problem = Problem(statement="Compute\n" + "x" * 500, answer="4", answer_type="set", rationale="")
        event = event.with_(item=event.item.with_(problem=problem))
        state, [following] = planner(state, event, NOW)
        assert isinstance(following, ProblemRequested)
        request = following
    start = "Compute " + "x" * 112
    assert request.rejections == (
        f"repeat: {start}",
        f"key_disputed: two say 4: {start}",
        f"not_unique: two say 4: {start}",
    )


def test_new_topics_replace_those_given_up_until_the_subject_runs_dry() -> None:
    planner, state, requests = started(a_plan(rows=20, in_progress=2, physics=1))
    passes: list[SubjectRequested] = []
    while requests:
        state, events = planner(state, rejected(requests.pop(), "repeat"), NOW)
        for event in events:
            if isinstance(event, SubjectRequested):
                passes.append(event)
                state, more = planner(state, expanded(event, count=2 if len(passes) == 1 else 0), NOW)
                events = [*events, *more]
        requests += [event for event in events if isinstance(event, ProblemRequested)]
    assert [request.wanted for request in passes] == [1, 1]
    assert len(passes[0].known) == 3
    assert state.subject("physics").exhausted
    assert len(closed(state, "repeats")) == 5


@pytest.mark.parametrize(("topics", "calls"), [(3, 2), (1, 0), (0, 0)])
def test_topics_of_ones_own_come_first_and_what_is_missing_is_requested(topics: int, calls: int) -> None:
    plan = a_plan(rows=20, in_progress=2, physics=1)
    plan = plan.model_copy(update={"subjects": {"physics": Subject(topics=topics)}, "topics": "/own.csv"})
    planner = Planner(plan, "test", [a_topic("physics", 7)])
    state, events = planner.start(None, NOW)
    assert [event.wanted for event in events if isinstance(event, SubjectRequested)] == ([calls] if calls else [])
    assert {event.topic.name for event in events if isinstance(event, ProblemRequested)} == {"physics 7"}
    assert planner.start(state, NOW) == (state, [])


def test_an_old_expansion_repeated_does_not_close_the_new_pass() -> None:
    planner = Planner(a_plan(rows=20, in_progress=2, physics=1), "test")
    state, events = planner.start(None, NOW)
    first = next(event for event in events if isinstance(event, SubjectRequested))
    state, events = planner(state, expanded(first, count=1), NOW)
    second = next(event for event in events if isinstance(event, SubjectRequested))
    assert second.id != first.id
    state, events = planner(state, expanded(first, count=1), NOW)
    assert not events
    assert state.subject("physics").expanding
    assert not state.subject("physics").exhausted


def test_a_failed_request_for_topics_is_repeated_up_to_a_limit() -> None:
    planner = Planner(a_plan(physics=1), "test")
    state, events = planner.start(None, NOW)
    requests = [event for event in events if isinstance(event, SubjectRequested)]
    while not state.subject("physics").exhausted:
        failed = expanded(requests[-1], 0).with_(failed="no list")
        state, events = planner(state, failed, NOW)
        requests += [event for event in events if isinstance(event, SubjectRequested)]
    assert len({request.id for request in requests}) == MAX_FAILURES
    planner = Planner(a_plan(rows=13, physics=1), "test")
    state, events = planner.start(state, NOW)
    [request] = [event for event in events if isinstance(event, SubjectRequested)]
    state, _ = planner(state, expanded(request), NOW)
    assert len(state.subject("physics").topics) == 3


def test_answer_types_and_topics_take_turns() -> None:
    _, _, requests = started(a_plan(rows=60, in_progress=9, physics=1))
    by_topic = Counter(request.topic.name for request in requests)
    assert set(by_topic.values()) == {3}
    assert len({(request.topic.name, request.answer_type) for request in requests}) == 9


def test_weights_of_answer_types_hold_across_topics_requested_once() -> None:
    mix = {"number": 3.0, "expression": 1.0}
    assert Counter(pick(mix, n) for n in range(40)) == {"number": 30, "expression": 10}
    plan = a_plan(rows=400, in_progress=300, physics=1).model_copy(update={"answer_types": mix})
    plan = plan.model_copy(update={"subjects": {"physics": Subject(topics=90)}})
    _, _, requests = started(plan)
    first = Counter(request.answer_type for request in requests if request.cause.index == 0)
    assert 0.65 < first["number"] / first.total() < 0.85


def test_the_snapshot_of_a_large_factory_is_small() -> None:
    long = "a name of a topic, of a field or a subfield"
    plan = a_plan(rows=10_000, in_progress=500, mathematics=1)
    planner = Planner(plan.model_copy(update={"subjects": {"mathematics": Subject(topics=1179)}}), "test")
    state, events = planner.start(None, NOW)
    request = next(event for event in events if isinstance(event, SubjectRequested))
    event = expanded(request)
    topics = tuple(topic.with_(field=long, subfield=long, name=long + topic.name) for topic in event.topics)
    state, events = planner(state, event.with_(topics=topics), NOW)
    assert len([event for event in events if isinstance(event, ProblemRequested)]) == 500
    assert len(state.model_dump_json()) < 450_000
