"""Items, events and records as other services make them."""

from typing import Any
from uuid import UUID

from schemas.audit_tag import AuditTag
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Releases
from schemas.events import AuditJudged, Event, ProblemRejected, ProblemRequested, SampleDeleted, SolutionChecked
from schemas.identity import factory_id
from schemas.item import Attempt, Item, Judgement, Probe, Problem, Provenance, Topic, Verdict, Vote
from shared.ports import Record

FACTORY = factory_id("test")


def plan(rows: int = 4, *subjects: str, every: int = 1000, train: int = 1000) -> Plan:
    named = subjects or ("mathematics",)
    releases = Releases(every_rows=every, train_after_rows=train)
    return Plan(name="test", rows=rows, subjects={name: Subject() for name in named}, releases=releases)


def call(role: str, **changes: object) -> Provenance:
    made = Provenance(
        role=role,
        endpoint="fake",
        model=f"model of {role}",
        simulated=True,
        prompt=f"{role}.md",
        prompt_hash="c0ffee00" * 8,
        completion_tokens=100,
        started="2026-01-01T00:00:00Z",
        latency_s=1.0,
        cost=0.01,
    )
    return made.with_(**changes)


def attempt(index: int = 0, agrees: str = "yes", flaws: tuple[str, ...] = (), text: str = "so it goes") -> Attempt:
    return Attempt.model_validate(
        {
            "index": index,
            "reasoning": f"Attempt {index}: {text}",
            "solution": f"The answer of attempt {index} is 42",
            "answer": "42",
            "agrees": agrees,
            "flaws": flaws,
            "provenance": call("synthesis"),
        }
    )


def verdict(role: str, **points: bool) -> Verdict:
    good = dict.fromkeys(("well_posed", "self_contained", "unique_answer", "correct", "on_topic", "hard_enough"), True)
    judgement = Judgement(**{**good, "open_problem": False, **points}, reason=f"{role} thinks so")
    votes = (Vote(answer="41", agrees="no", method="numeric"), Vote(answer="42", agrees="yes", method="numeric"))
    return Verdict(role=role, model=f"model of {role}", problem_hash="h", votes=votes, judgement=judgement)


def item(
    number: int, subject: str = "mathematics", tier: str = "verified", attempts: tuple[Attempt, ...] | None = None
) -> tuple[Item, ProblemRequested]:
    topic = Topic(subject=subject, field="topology", subfield="3-manifolds", name="lens spaces")
    requested = ProblemRequested.root(FACTORY, "planner", number, plan="test", topic=topic, answer_type="number")
    problem = Problem(statement=f"What is {number}?", answer="42", answer_type="number", rationale="It is known.")
    made = requested.item.with_(
        problem=problem,
        fingerprint=problem.fingerprint,
        tier=tier,
        tier_reason="both hit the key",
        verdicts=(verdict("verifier-a"), verdict("verifier-b")),
        probe=Probe(attempts=4, hits=1),
        attempts=attempts or (attempt(),),
    )
    return made, requested


def checked(
    number: int,
    subject: str = "mathematics",
    tier: str = "verified",
    attempts: tuple[Attempt, ...] | None = None,
    final: bool = True,
) -> SolutionChecked:
    made, requested = item(number, subject, tier, attempts)
    index = len(made.attempts) - 1
    return SolutionChecked.of(requested, "answer_checker", made, (call("judge"),), index=index, final=final)


def rejected(number: int, reason: str = "malformed") -> ProblemRejected:
    made, requested = item(number)
    calls = (call("problem_writer"),)
    return ProblemRejected.of(requested, "screening", made, calls, reason=reason, detail="It will not do.")


def judged(number: int, mark: AuditTag, *, accepted: bool = False, simulated: bool = True, **found: str) -> AuditJudged:
    """Make the event of a judged audit item; `found` by check, with __ for a slash and _ for a dash."""
    made, requested = item(number, tier="verified" if accepted else "disputed", attempts=())
    checks = {name.replace("__", "/").replace("_", "-"): finding for name, finding in found.items()}
    reported: dict[str, Any] = {"accepted": accepted, "reason": made.tier, "detail": "So it is.", "found": checks}
    return AuditJudged.of(requested, "panel", made, (call("verifier-a", simulated=simulated),), mark=mark, **reported)


def deleted(event: SolutionChecked) -> SampleDeleted:
    about: dict[str, Any] = {"sample_id": event.item.id, "subject": event.item.topic.subject, "admission": "in"}
    return SampleDeleted.root(event.item.id, "cli", **about, decision="a wrong key", row_hash="?")


def record(event: Event, offset: int, partition: int = 0, incarnation: str = "one") -> Record:
    return Record(event, event.type, incarnation, partition, offset, written_ms=offset)


def log(*events: Event, partitions: int = 2, incarnation: str = "one") -> list[Record]:
    """Return the events as records, with offsets by Kafka topic and partition."""
    ends: dict[tuple[str, int], int] = {}
    records = []
    for event in events:
        place = (event.type, UUID(event.key).int % partitions)
        records.append(record(event, ends.get(place, 0), place[1], incarnation))
        ends[place] = ends.get(place, 0) + 1
    return records
