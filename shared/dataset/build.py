"""Converts events to rows of the three tables, and a row back to its item."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.events import (
    AuditJudged,
    ProblemRejected,
    ProblemReprobed,
    ProblemResolved,
    ProblemReverified,
    ProblemReviewed,
    SampleDeleted,
    SolutionChecked,
)
from schemas.identity import content_hash
from schemas.item import Attempt, Item, last_belief
from schemas.spend import sum_or_none
from shared.dataset.schema import SCHEMA_VERSION, Audit, Entry, Probing, Resolution, Reverification, ReviewLine, Row
from shared.errors import Invalid
from shared.ports import Record

_CORRECT = {"yes": True, "no": False}


HASHED = (
    *("plan", "subject", "field", "subfield", "topic", "problem", "answer", "answer_type", "simulated", "tokens"),
    *("cost", "independent", "rationale", "fingerprint", "tier", "tier_reason", "reasoning", "solution", "correct"),
    *("flaws", "solver", "difficulty", "verdicts", "attempts", "lineage", "event", "event_hash"),
)
"""Columns of a row that its hash covers: they do not depend on the time, the order and the targets of its curation."""


def choose_attempt(attempts: Sequence[Attempt], choose: str | None = None) -> Attempt:
    """Return the attempt that becomes the row: one without flaws that agrees with the key, else the first.

    `choose` is the plan's: newest_correct, shortest_correct; `None` for the first. An imported attempt comes after the
    others.
    """
    ordered = sorted(attempts, key=lambda attempt: attempt.is_imported)
    sound = [attempt for attempt in ordered if attempt.agrees == "yes" and not attempt.flaws]
    own = [attempt for attempt in sound if not attempt.is_imported]
    match choose:
        case "newest_correct" if own:
            return own[-1]
        case "shortest_correct" if own:
            return min(own, key=lambda attempt: len(attempt.reasoning) + len(attempt.solution))
        case _:
            return next(iter(sound), ordered[0])


def solution_columns(attempt: Attempt) -> dict[str, Any]:
    """Return the columns of a row with its solution."""
    return {
        "reasoning": attempt.reasoning,
        "solution": attempt.solution,
        "correct": _CORRECT.get(attempt.agrees or ""),
        "flaws": attempt.flaws,
        "solver": attempt.provenance.answered_by,
    }


def with_hash(row: Row) -> Row:
    """Return the row with the hash of its content."""
    content = {name: getattr(row, name) for name in HASHED}
    return replace(row, row_hash=content_hash(json.dumps([row.id, content], sort_keys=True, ensure_ascii=False)))


def can_curate(event: SolutionChecked) -> bool:
    """Whether the event has a problem and an attempt."""
    return event.item.problem is not None and bool(event.item.attempts)


def to_row(record: Record, event: SolutionChecked, now: datetime, choose: str | None = None) -> Row:
    """Return the row of a final solution.checked; views and admission are decided later. `choose` is the plan's.

    Raises Invalid without a problem or an attempt.
    """
    if not can_curate(event):
        raise Invalid(f"{event.type} {event.id} is final, but has no problem or no attempt")
    item, attempt = event.item, choose_attempt(event.item.attempts, choose)
    content: dict[str, Any] = {
        **_item_columns(item),
        "independent": item.independent,
        "rationale": item.written.rationale,
        "fingerprint": item.fingerprint or item.written.fingerprint,
        "tier": item.tier or "unknown",
        "tier_reason": item.tier_reason,
        **solution_columns(attempt),
        "difficulty": item.probe and item.probe.difficulty,
        "verdicts": to_json(item.verdicts),
        "attempts": to_json(item.attempts),
        "lineage": to_json(item.lineage),
        "event": str(event.id),
        "event_hash": event.hash,
    }
    return with_hash(Row(**content, **_source_columns(record), id=str(item.id), row_hash="", curated_at=now))


def to_entry(record: Record, now: datetime) -> Entry | None:
    """Return the ledger entry of an event; None for an event without one."""
    match record.event:
        case ProblemRejected(item=item) as event:
            rejected = {"service": event.service, "reason": event.reason, "detail": event.detail}
            return _item_entry(record, item, now, kind="rejected", **rejected)
        case SolutionChecked(final=False, item=item):
            return _item_entry(record, item, now, kind="attempt")
        case SampleDeleted() as event:
            return Entry(
                **_source_columns(record),
                id=str(event.id),
                kind="deleted",
                item_id=str(event.sample_id),
                subject=event.subject,
                service=event.cause.role,
                reason=event.decision,
                detail=event.row_hash,
                recorded_at=now,
            )
        case _:
            return None


def to_audit(record: Record, event: AuditJudged, now: datetime) -> Audit:
    """Return the audits row of a judged audit item."""
    item, tag = event.item, event.mark
    return Audit(
        **_item_columns(item),
        **_source_columns(record),
        id=str(item.id),
        tier=item.tier,
        kind=tag.kind,
        source=str(tag.source) if tag.source else None,
        difficulty=tag.difficulty,
        accepted=event.accepted,
        reason=event.reason,
        detail=event.detail,
        service=event.service,
        found=json.dumps(event.found),
        item=item.model_dump_json(),
        event=str(event.id),
        judged_at=now,
    )


def to_reverification(record: Record, event: ProblemReverified, now: datetime) -> Reverification:
    """Return the line of a stored problem that was verified again."""
    item, run = event.item, event.run
    return Reverification(
        **_item_columns(item),
        **_source_columns(record),
        id=str(item.id),
        tier=item.tier,
        run=run.run,
        compare=run.compare,
        item_id=str(run.problem),
        believed_before=run.believed,
        belief_before=run.belief,
        accepted=event.accepted,
        belief=item.belief.key if item.belief else None,
        reason=event.reason,
        detail=event.detail,
        admission_before=run.admission,
        votes_before=json.dumps(run.votes),
        verdicts=to_json(item.verdicts),
        lineage=to_json(item.lineage),
        event=str(event.id),
        reverified_at=now,
    )


def to_resolution(record: Record, event: ProblemResolved, now: datetime) -> Resolution:
    """Return the line of a stored problem that was solved again."""
    item, run = event.item, event.run
    results = {attempt.agrees for attempt in item.attempts}
    return Resolution(
        **_item_columns(item),
        **_source_columns(record),
        id=str(item.id),
        tier=item.tier,
        run=run.run,
        item_id=str(run.problem),
        admission_before=run.admission,
        solver=item.attempts[0].provenance.answered_by if item.attempts else "unknown",
        correct_before=run.correct,
        correct=True if "yes" in results else False if "no" in results else None,
        sound=any(attempt.agrees == "yes" and not attempt.flaws for attempt in item.attempts),
        disputed=event.disputed,
        attempts=len(item.attempts),
        lineage=to_json(item.lineage),
        event=str(event.id),
        resolved_at=now,
    )


def to_probing(record: Record, event: ProblemReprobed, now: datetime) -> Probing:
    """Return the line of a stored problem whose difficulty was measured again."""
    item, run, probe = event.item, event.run, event.item.probe
    return Probing(
        **_item_columns(item),
        **_source_columns(record),
        id=str(item.id),
        tier=item.tier,
        run=run.run,
        item_id=str(run.problem),
        model=next((call.answered_by for call in item.calls), "unknown"),
        difficulty_before=run.difficulty,
        difficulty=event.difficulty,
        attempts=probe.attempts if probe else 0,
        hits=probe.hits if probe else 0,
        left=event.left,
        lineage=to_json(item.lineage),
        event=str(event.id),
        probed_at=now,
    )


def to_review(record: Record, event: ProblemReviewed, now: datetime) -> ReviewLine:
    """Return the line of a person's decision."""
    return ReviewLine(
        **_item_columns(event.item),
        **_source_columns(record),
        id=str(event.id),
        tier=event.item.tier,
        item_id=event.key,
        decision=event.decision,
        reviewer=event.reviewer,
        reason=event.reason,
        new_answer=event.answer,
        reviewed_at=now,
    )


ITEM_COLUMNS = (
    *("id", "plan", "subject", "field", "subfield", "topic", "problem", "answer", "answer_type", "rationale"),
    *("fingerprint", "verdicts", "tier", "tier_reason", "lineage"),
)
"""Columns of a row that `columns_to_item` needs."""


def to_item(row: Row) -> Item:
    """Return the item of a row, without its probe: the row keeps only the difficulty."""
    return columns_to_item({name: getattr(row, name) for name in (*ITEM_COLUMNS, "attempts")})


def columns_to_item(row: Mapping[str, Any]) -> Item:
    """Return the item of a row, as `to_item`, from some of its columns; without `attempts` it has none."""
    item = Item.model_validate(
        {
            **{name: row[name] for name in ("id", "plan", "fingerprint", "tier", "tier_reason")},
            "topic": {**{name: row[name] for name in ("subject", "field", "subfield")}, "name": row["topic"]},
            "problem": {
                "statement": row["problem"],
                **{name: row[name] for name in ("answer", "answer_type", "rationale")},
            },
            **{name: json.loads(row[name]) for name in ("verdicts", "attempts", "lineage") if name in row},
        }
    )
    return item.with_(belief=last_belief(item.lineage))


def _item_entry(record: Record, item: Item, now: datetime, **columns: Any) -> Entry:
    return Entry(
        **_item_columns(item),
        **_source_columns(record),
        **columns,
        id=str(record.event.id),
        item_id=str(item.id),
        tier=item.tier,
        item=item.model_dump_json(),
        recorded_at=now,
    )


def _item_columns(item: Item) -> dict[str, Any]:
    calls = item.calls
    return {
        "plan": item.plan,
        "subject": item.topic.subject,
        "field": item.topic.field,
        "subfield": item.topic.subfield,
        "topic": item.topic.name,
        "problem": item.problem and item.problem.statement,
        "answer": item.problem and item.problem.answer,
        "answer_type": item.problem and item.problem.answer_type,
        "simulated": any(call.simulated for call in calls),
        "tokens": sum_or_none(call.completion_tokens for call in calls),
        "cost": sum_or_none(call.cost for call in calls),
    }


def _source_columns(record: Record) -> dict[str, Any]:
    return {
        "kafka_topic": record.kafka_topic,
        "kafka_incarnation": record.incarnation,
        "kafka_partition": record.partition,
        "kafka_offset": record.offset,
        "schema_version": SCHEMA_VERSION,
    }


def to_json(models: Iterable[BaseModel]) -> str:
    """Return a JSON list of models, as the columns of tables have it."""
    return json.dumps([model.model_dump(mode="json") for model in models], ensure_ascii=False)
