"""The mark of an audit item: in the envelope, on everything that follows, and in the ending, but in no event before."""

import json

import pytest

from schemas.audit_tag import AuditTag
from schemas.events import AuditJudged, Event, ProblemAccepted, ProblemRejected, ProblemReverified, ProblemScreened
from schemas.flow import BY_TYPE, GIVERS, consumed_by, produced_by
from schemas.item import Verdict, Vote
from schemas.run_tag import RunTag
from shared.audit_items import divert
from shared.errors import Invalid
from shared.kafka.codec import AUDIT_HEADER, Message, audit_tag_of, decode, encode, encode_outputs, pack, tag_of, unpack
from shared.kafka.dlq.dead_letter import Failure, SourceRecord, to_record
from shared.ports import TaggedEvent
from tests.support.items import FACTORY, call, checked, item, rejected, verdict

MARK = AuditTag(kind="sign ✗", source=FACTORY, difficulty=0.25)
RIVAL, UNREADABLE = Vote(answer="41", agrees="no", method="numeric"), Vote(answer="?", agrees="unsure", method="none")


def read(message: Message) -> Event:
    return decode(message.name, message.key, message.value, message.headers)


def screened() -> ProblemScreened:
    made, requested = item(1)
    return ProblemScreened.of(requested, "screening", made.with_(verdicts=(), attempts=(), tier=None))


def test_an_audit_tag_survives_log_and_record_and_changes_only_headers() -> None:
    bare, marked, handed = (
        *encode_outputs([screened()], "f/screening", None),
        *encode_outputs([screened()], "f/screening", MARK),
        *encode_outputs([TaggedEvent(screened(), MARK)], "f/auditor", None),
    )
    (kept,) = unpack(pack([marked]))
    assert kept == marked
    assert audit_tag_of(kept.headers) == audit_tag_of(handed.headers) == MARK
    assert audit_tag_of(bare.headers) is None
    assert (kept.key, kept.value) == (bare.key, bare.value)
    assert [header for header in kept.headers if header[0] != AUDIT_HEADER] == bare.headers
    assert read(kept) == read(bare)


@pytest.mark.parametrize("header", [b"{", b"\xff", b"[]", b'{"source":"a row"}', b'{"kind":null}'])
def test_a_header_that_is_no_mark_makes_the_record_invalid(header: bytes) -> None:
    message = encode(screened(), "f/screening")
    with pytest.raises(Invalid, match="ce_audit is not a valid audit tag"):
        decode(message.name, message.key, message.value, [*message.headers, (AUDIT_HEADER, header)])


def test_a_failed_audit_item_keeps_its_tag_and_parks_no_problem() -> None:
    failure = Failure("f", "panel", Invalid("it will not do"), 1)
    message = encode(screened(), "f/screening", MARK)
    marked = to_record(
        message.name, SourceRecord(message.name, 0, 7, 0, message.key, message.value, message.headers), failure
    )
    plain = encode(screened(), "f/screening")
    bare = to_record(plain.name, SourceRecord(plain.name, 0, 7, 0, plain.key, plain.value, plain.headers), failure)
    assert [one.name for one in marked] == ["dead-letters"]
    assert audit_tag_of(marked[0].headers) == MARK
    assert [one.name for one in bare] == ["dead-letters", "problem.parked"]


def blind(role: str, *votes: Vote, **changes: object) -> Verdict:
    return verdict(role).with_(votes=votes, **changes)


def by_panel(kind: type[Event], *verdicts: Verdict) -> Event:
    made, _ = item(1)
    decided = made.with_(verdicts=verdicts, lineage=screened().item.lineage, tier_reason="so they say")
    why = {"reason": "key_disputed", "detail": "two rivals"} if kind is ProblemRejected else {}
    return kind.of(screened(), "panel", decided, (call("panel"),), **why)  # type: ignore[attr-defined, no-any-return]


def judged(event: Event) -> AuditJudged:
    end = divert(event, MARK)
    assert isinstance(end, AuditJudged)
    return end


def test_an_audit_item_ends_as_one_event_that_says_what_each_check_found() -> None:
    verdicts = blind("verifier-a", RIVAL, UNREADABLE), verdict("verifier-b", unique_answer=False)
    end = judged(by_panel(ProblemRejected, *verdicts))
    assert (end.accepted, end.reason, end.detail, end.service) == (False, "key_disputed", "two rivals", "panel")
    assert end.found == {
        "screening": "passed",
        "verifier-a/blind": "noticed",
        "verifier-a/judge": "passed",
        "verifier-b/blind": "passed",
        "verifier-b/judge": "noticed",
        "panel": "noticed",
    }
    accepted = judged(by_panel(ProblemAccepted, blind("verifier-a", UNREADABLE), blind("verifier-b", judgement=None)))
    assert (accepted.accepted, accepted.reason, accepted.detail) == (True, "verified", "so they say")
    assert accepted.found["panel"] == "passed"
    unable = {check for check, found in accepted.found.items() if found == "unable"}
    assert unable == {"verifier-a/blind", "verifier-b/blind", "verifier-b/judge"}
    early = judged(rejected(1))
    assert {check: found for check, found in early.found.items() if "/" not in check} == {"screening": "noticed"}


def test_a_diverted_event_has_a_derived_id_and_the_replaced_calls() -> None:
    event = by_panel(ProblemRejected, verdict("verifier-a"))
    end = judged(event)
    assert read(encode(end, "f/panel", MARK)) == end == judged(event)
    assert end.id not in (event.id, judged(by_panel(ProblemAccepted)).item.id)
    assert [step.event for step in end.item.lineage] == [screened().id, end.id]
    assert end.item.calls == (call("panel"),)
    assert event.id.hex not in json.dumps(end.model_dump(mode="json")).replace("-", "")


def test_events_that_need_no_diversion_are_published_unchanged() -> None:
    assert divert(screened(), MARK) == screened()
    assert divert(rejected(1), None) == rejected(1)
    assert divert(checked(1), None) == checked(1)


def has_consumers(service: str) -> bool:
    """Whether anybody consumes what a service makes; others end no item."""
    return any(flow.consumers for flow in produced_by(service) if flow.name != "problem.parked")


def test_who_an_audit_item_can_reach_may_say_that_it_has_ended() -> None:
    """Follows the flow from the auditor on. Nothing behind the panel is reached, because acceptance is an ending."""
    ends, reached, todo = {"problem.accepted", "problem.probed", "problem.rejected"}, set[str](), {"auditor"}
    while todo:
        service = todo.pop()
        reached.add(service)
        made = (
            {flow.name for flow in produced_by(service)}
            - ends
            - {"problem.parked", "audit.judged", "problem.reverified"}
        )
        todo |= {consumer for name in made for consumer in BY_TYPE[name].consumers if has_consumers(consumer)} - reached
    assert reached == {"auditor", "screening", *GIVERS, "panel"}
    who_ends = {service for service in reached if ends & {flow.name for flow in produced_by(service)}}
    audits_the_judge = {"answer_checker"}  # of answers, without an audit item
    cannot_afford = set(GIVERS)  # they end an audit that the budget does not allow
    assert set(BY_TYPE[AuditJudged.type].producers) == who_ends | audits_the_judge | cannot_afford
    assert [service for flow in (BY_TYPE[AuditJudged.type],) for service in flow.consumers] == ["aggregator"]
    assert consumed_by("auditor") == (BY_TYPE["solution.checked"],)


def test_a_reverify_item_ends_as_one_keyed_by_the_stored_problem() -> None:
    run = RunTag(run="one", problem=FACTORY, believed=True, votes={"verifier-a": 2})
    made, requested = item(1)
    end = ProblemAccepted.of(requested, "panel", made)
    [marked] = encode_outputs([end], "f/panel", run)
    assert tag_of(marked.headers) == run
    event = read(marked)
    assert isinstance(event, ProblemReverified)
    assert (event.key, event.run, event.accepted, event.reason) == (str(FACTORY), run, True, "verified")
    assert event.item.lineage[-1].type == "problem.reverified"
    failure = Failure("f", "verifier-a", Invalid("it will not do"), 1)
    message = encode(screened(), "f/cli", run)
    source = SourceRecord(message.name, 0, 7, 0, message.key, message.value, message.headers)
    assert [one.name for one in to_record(message.name, source, failure)] == ["dead-letters"]
    with pytest.raises(Invalid, match="ce_run is not a valid tag"):
        decode(message.name, message.key, message.value, [*screened_headers(), ("ce_run", b"{}")])


def screened_headers() -> list[tuple[str, bytes]]:
    return encode(screened(), "f/cli").headers
