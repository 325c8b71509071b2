"""How tagged items end. Handlers cannot recognise them, so the runtime replaces their final event.

An audit item ends as `audit.judged`; a copy of a stored problem as `problem.reverified`, `problem.resolved`
or `problem.reprobed`, by what its run does again.
"""

from collections.abc import Iterator
from typing import Any

from schemas.audit_tag import AuditTag
from schemas.events import (
    AuditJudged,
    Event,
    ItemEvent,
    ProblemAccepted,
    ProblemProbed,
    ProblemRejected,
    ProblemReprobed,
    ProblemResolved,
    ProblemReverified,
    SolutionChecked,
)
from schemas.item import Adjudication, Item, Verdict
from schemas.run_tag import RunTag
from shared.ports import Tag

PASSED, NOTICED, UNABLE = "passed", "noticed", "unable"
"""Results of a check; `unable`: it ran and could not decide."""
NOT_JUDGED = "not_judged"
"""Reason of an audit that ended without a result, because the budget was spent."""


def divert(event: Event, tag: Tag | None) -> Event | None:
    """Return the event to publish: another one where a tagged item ends, else the event itself.

    The new id is derived from the cause of the replaced event, so it is the same in a repetition. Returns `None` for a
    solution of a copy to which others are requested: only its end is published.
    """
    if isinstance(tag, RunTag) and tag.kind == "resolve":
        return _resolved(event, tag) if isinstance(event, SolutionChecked | ProblemRejected) else event
    if isinstance(tag, RunTag) and tag.kind == "probe":
        if not isinstance(event, ProblemProbed | ProblemRejected):
            return event
        return ProblemReprobed(**_replace(event, ProblemReprobed), run=tag)
    if tag is None or not isinstance(event, ProblemAccepted | ProblemRejected):
        return event
    kind, item = AuditJudged if isinstance(tag, AuditTag) else ProblemReverified, event.item
    end = {
        **_replace(event, kind),
        "accepted": isinstance(event, ProblemAccepted),
        "reason": event.reason if isinstance(event, ProblemRejected) else item.tier or "unknown",
        "detail": event.detail if isinstance(event, ProblemRejected) else item.tier_reason or "",
    }
    if isinstance(tag, AuditTag):
        return AuditJudged(**end, mark=tag, found=dict(_results(event)))
    return ProblemReverified(**end, run=tag)


def _resolved(event: SolutionChecked | ProblemRejected, tag: RunTag) -> ProblemResolved | None:
    if isinstance(event, SolutionChecked) and not event.final:
        return None
    disputed = event.detail if isinstance(event, ProblemRejected) else None
    return ProblemResolved(**_replace(event, ProblemResolved), run=tag, disputed=disputed)


def _replace(event: ItemEvent, kind: type[ItemEvent]) -> dict[str, Any]:
    """Return id, cause and item of an event of another type in the place of an event."""
    id_ = kind.derive_id(event.cause)
    *before, last = event.item.lineage
    step = last.with_(event=id_, type=kind.type)
    return {"id": id_, "cause": event.cause, "item": event.item.with_(lineage=(*before, step))}


def not_judged(event: Event, service: str, item: Item, tag: AuditTag, detail: str) -> AuditJudged:
    """Return the end of an audit item that a service could not judge."""
    return AuditJudged.of(event, service, item, mark=tag, accepted=False, reason=NOT_JUDGED, detail=detail, found={})


def _results(end: ProblemAccepted | ProblemRejected) -> Iterator[tuple[str, str]]:
    """Yield the result of each check that ran."""
    rejected = isinstance(end, ProblemRejected)
    if any(step.service == "screening" for step in end.item.lineage):
        yield "screening", NOTICED if end.cause.role == "screening" else PASSED
    for verdict in end.item.verdicts:
        yield f"{verdict.role}/blind", _blind_result(verdict)
        yield f"{verdict.role}/judge", _judge_result(verdict)
    for one in end.item.adjudications:
        yield one.role, _adjudication_result(one)
    if end.cause.role == "panel":
        yield "panel", NOTICED if rejected else PASSED


def _adjudication_result(one: Adjudication) -> str:
    return {"key": PASSED, "rival": NOTICED, "neither": NOTICED}[one.chosen]


def _blind_result(verdict: Verdict) -> str:
    """Votes that cannot be compared with the key are not evidence of an error."""
    if verdict.hits:
        return PASSED
    return NOTICED if any(vote.agrees == "no" for vote in verdict.votes) else UNABLE


def _judge_result(verdict: Verdict) -> str:
    if verdict.judgement is None:
        return UNABLE
    return PASSED if verdict.judgement.good else NOTICED
