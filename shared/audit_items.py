"""How an audit item ends. Nobody who handles it knows what it is; the runtime says `audit.judged` in their place."""

from collections.abc import Iterator

from schemas.audit_tag import AuditTag
from schemas.events import AuditJudged, Event, ProblemAccepted, ProblemRejected
from schemas.item import Verdict

PASSED, NOTICED, UNABLE = "passed", "noticed", "unable"
"""What a check can find; `unable`: it looked, and could not tell."""


def divert(event: Event, mark: AuditTag | None) -> Event:
    """What is published for an event: itself, or `audit.judged` where an audit item ends or would go on to cost more.

    The id follows from the cause of the event that it replaces, so a repetition has the same.
    """
    if mark is None or not isinstance(event, ProblemAccepted | ProblemRejected):
        return event
    item = event.item
    id_ = AuditJudged.derive_id(event.cause)
    *before, last = item.lineage
    step = last.with_(event=id_, type=AuditJudged.type)
    return AuditJudged(
        id=id_,
        cause=event.cause,
        item=item.with_(lineage=(*before, step)),
        mark=mark,
        accepted=isinstance(event, ProblemAccepted),
        reason=event.reason if isinstance(event, ProblemRejected) else item.tier or "unknown",
        detail=event.detail if isinstance(event, ProblemRejected) else item.tier_reason or "",
        found=dict(_found(event)),
    )


def _found(end: ProblemAccepted | ProblemRejected) -> Iterator[tuple[str, str]]:
    """What each check found that looked at the item."""
    rejected = isinstance(end, ProblemRejected)
    if any(step.service == "screening" for step in end.item.lineage):
        yield "screening", NOTICED if end.cause.role == "screening" else PASSED
    for verdict in end.item.verdicts:
        yield f"{verdict.role}/blind", _blind(verdict)
        yield f"{verdict.role}/judge", _judged(verdict)
    if end.cause.role == "panel":
        yield "panel", NOTICED if rejected else PASSED


def _blind(verdict: Verdict) -> str:
    """Votes of which nobody can tell whether they hit the key are no sign of a defect."""
    if verdict.hits:
        return PASSED
    return NOTICED if any(vote.agrees == "no" for vote in verdict.votes) else UNABLE


def _judged(verdict: Verdict) -> str:
    if verdict.judgement is None:
        return UNABLE
    return PASSED if verdict.judgement.good else NOTICED
