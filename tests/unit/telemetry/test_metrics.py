"""What the catalogue promises of its labels."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from schemas.audit_tag import AuditTag
from schemas.events import ProblemRejected, ProblemRequested, SubjectRequested, TopicExpanded
from schemas.flow import FLOW, SERVICES, consumed_by
from schemas.item import Topic
from services.aggregator.__main__ import count
from services.planner.handler import Planner
from services.planner.measured import MeasuredPlanner
from services.planner.state import State
from shared.llm.call_metrics import call_metrics
from shared.telemetry import metrics
from shared.telemetry.metrics import OTHER, bounded_label, start_at_zero
from tests.support.items import call, judged, plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_every_event_of_a_service_is_counted_from_zero() -> None:
    for service in (one.name for one in SERVICES):
        start_at_zero(service)
        for flow in consumed_by(service):
            labels = {"service": service, "event": flow.name}
            for name in ("chimera_event_duration_seconds_count", "chimera_event_age_seconds_count"):
                assert value(name, **labels) is not None
            assert value("chimera_events_total", **labels, outcome="dead_letter") is not None
    for flow in FLOW:
        for service in {one.name for one in SERVICES} & set(flow.producers):
            assert value("chimera_events_produced_total", service=service, event=flow.name) is not None


def test_however_many_words_the_log_brings_a_label_takes_few() -> None:
    assert len({bounded_label("test", f"word {n}") for n in range(1000)}) == 65
    assert bounded_label("test", "word 3") == "word 3"
    assert bounded_label("test", "word 900") == OTHER


def test_a_log_full_of_strange_words_makes_few_series(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of everything counted by words from records; other label values come from flow, plan and models file."""
    monkeypatch.setattr(metrics, "_seen", {})  # its words are for this test alone
    machine, state, (requested, *_) = opened("words")
    for n, word in enumerate(f"strange {n}" for n in range(200)):
        machine(state, ProblemRejected.of(requested, word, item=requested.item, reason=word, detail=""), NOW)
        count(judged(n, AuditTag(kind=word), accepted=False, simulated=True, **{word: word}))
    series = Counter(sample.name for metric in REGISTRY.collect() for sample in metric.samples)
    for name in ("chimera_problems_rejected_total", "chimera_audits_total", "chimera_audit_checks_total"):
        assert 64 < series[name] < 200, name


def test_the_first_audit_item_that_is_let_through_is_a_rise_and_no_birth() -> None:
    count(judged(1, AuditTag(kind="sign")))
    assert value("chimera_audits_total", kind="sign", outcome="accepted") == 0


def test_cost_is_counted_by_model_and_service_and_unknown_is_not_zero() -> None:
    for service, cost in (("priced", 0.25), ("unpriced", None)):
        call_metrics("e", "m", service).succeeded(call("solver", cost=cost))
    found = [
        value("chimera_model_dollars_total", endpoint="e", model="m", service=one) for one in ("priced", "unpriced")
    ]
    assert found == [0.25, None]


def test_the_planner_tells_of_each_ending_once_and_of_how_long_it_took() -> None:
    machine, state, requested = opened("metrics")
    assert value("chimera_problems_open", subject="mathematics") == len(requested) > 0
    before = [value(one[0], **one[1]) or 0.0 for one in COUNTED]
    ending = ProblemRejected.of(requested[0], "screening", item=requested[0].item, reason="proof", detail="")
    for _ in range(2):
        state, _ = machine(state, ending, NOW + timedelta(minutes=5))
    after = [value(one[0], **one[1]) or 0.0 for one in COUNTED]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 300]


def opened(factory: str) -> tuple[MeasuredPlanner, State, list[ProblemRequested]]:
    """A planner that has requested problems."""
    machine = MeasuredPlanner(Planner(plan(4, "mathematics"), factory))
    state, events = machine.start(None, NOW)
    (wanted,) = [event for event in events if isinstance(event, SubjectRequested)]
    topic = Topic(subject="mathematics", field="f", subfield="s", name="t")
    found = TopicExpanded.after(wanted, "expansion", plan="p", subject="mathematics", wanted=1, topics=(topic,))
    state, events = machine(state, found, NOW)
    return machine, state, [event for event in events if isinstance(event, ProblemRequested)]


COUNTED: list[tuple[str, dict[str, str]]] = [
    ("chimera_problems_ended_total", {"subject": "mathematics", "ending": "rejected"}),
    ("chimera_problems_rejected_total", {"service": "screening", "reason": "proof"}),
    ("chimera_problem_duration_seconds_sum", {"ending": "rejected"}),
]
