"""Dead letters and retention, as the flow has them."""

from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord

from schemas import flow
from schemas.events import ProblemParked
from schemas.flow import BY_TYPE, FLOW, UNCONSUMED_RETENTION_MS, is_side_branch
from shared.errors import Invalid
from shared.kafka.admin import topics
from shared.kafka.codec import encode, pack, unpack
from shared.kafka.dlq.dead_letter import HEADER_PREFIX, Failure, SourceRecord, position_of_letter, to_record
from shared.kafka.dlq.replay import parse
from tests.support.items import checked


def parked_by(service: str) -> bool:
    """Return whether a dead letter of a service parks its problem."""
    message = encode(checked(1), "f/answer_checker")
    record = SourceRecord(message.name, 0, 7, 0, message.key, message.value, message.headers)
    names = [one.name for one in to_record(message.name, record, Failure("f", service, Invalid("no"), 1))]
    assert names[0] == "dead-letters"
    return names[1:] == [ProblemParked.type]


def test_only_a_service_on_a_problems_way_parks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parked_by("aggregator")
    assert not parked_by("auditor")
    side = tuple(replace(one, consumers=()) if one.name == "topic.expanded" else one for one in FLOW)
    monkeypatch.setattr(flow, "FLOW", side)
    assert is_side_branch("expansion"), "no service consumes what it produces"
    assert not is_side_branch("verifier-a")


def test_only_unconsumed_events_that_are_not_retained_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = (replace(BY_TYPE["plan.adopted"], retained=False), *FLOW[1:])
    monkeypatch.setattr(topics, "FLOW", flow)
    ages = {name: topic.topic_configs.get("retention.ms") for name, topic in topics.topic_settings("f", 1).items()}
    unconsumed = {one.name for one in flow if not one.consumers and not one.retained}
    assert "plan.adopted" in unconsumed
    assert {ages.pop(name) for name in unconsumed} == {str(UNCONSUMED_RETENTION_MS)}
    assert {age for age in ages.values() if age} == {"-1"}


def test_a_recorded_dead_letter_keeps_headers_that_are_not_text() -> None:
    message = encode(checked(1), "f/answer_checker")
    headers = [*message.headers, ("x", b"\xff\xc3"), ("y", "é".encode())]
    record = SourceRecord(message.name, 3, 17, 0, message.key, message.value, headers)
    letter = to_record(message.name, record, Failure("f", "aggregator", Invalid("no"), 1))
    assert unpack(pack(letter)) == letter
    assert position_of_letter(letter) == "3/17"


@pytest.mark.parametrize(
    ("headers", "settled"),
    [
        ({}, "unreadable"),
        ({"attempts": b"many"}, "unreadable"),
        ({"attempts": None}, "unreadable"),
        ({"attempts": b"3"}, None),
    ],
)
def test_a_foreign_record_among_dead_letters_is_unreadable(
    headers: dict[str, bytes | None], settled: str | None
) -> None:
    names = ("service", "kafka-topic", "error", "message") if headers else ()
    added = [(f"{HEADER_PREFIX}{name}", value) for name, value in {**dict.fromkeys(names, b"x"), **headers}.items()]
    record = ConsumerRecord("t", 1, 7, 0, 0, None, b"bytes", None, 0, 5, added)
    letter = parse(record)
    assert (letter.id, letter.settled, letter.attempts) == ("1/7", settled, 0 if settled else 3)
