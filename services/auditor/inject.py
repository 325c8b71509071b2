"""How an audit item enters: with the events that the factory would have made for it, so that nothing tells it apart."""

from dataclasses import dataclass

from schemas.audit_tag import AuditTag
from schemas.events import Event, ProblemDrafted, ProblemScreened, SolutionChecked
from schemas.events.base import Cause
from schemas.identity import derive
from schemas.item import Item, Problem, Provenance, Topic
from shared.ports import TaggedEvent

ORIGINAL_CALLS = {"prompt_tokens": 0, "completion_tokens": 0, "reasoning_tokens": 0, "cost": 0.0}
"""What the writer's calls cost the second time."""


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """A problem to be sent through the checks."""

    mark: AuditTag
    problem: Problem
    topic: Topic
    screening: bool = False
    """Whether screening looks at it too. It refuses what resembles an earlier text, as most audits do."""


def inject(event: SolutionChecked, audit: PlannedAudit) -> TaggedEvent:
    """The event that sends it off: as if it had been asked for, written, and perhaps screened."""
    asked = Event(
        id=derive(event.item.id, f"audit/{audit.mark.kind}"),
        cause=Cause(parent=event.id, parent_hash=event.hash, role="planner"),
    )
    item = Item(id=asked.id, plan=event.item.plan, topic=audit.topic, problem=audit.problem)
    drafted = ProblemDrafted.of(asked, "problem_writer", item, _writing(event.item) if audit.mark.source else ())
    return TaggedEvent(drafted if audit.screening else _screened(drafted), audit.mark)


def _screened(drafted: ProblemDrafted) -> ProblemScreened:
    """As if screening had passed it, though the lineage must not say so: then it would count as a look."""
    item = drafted.item.with_(fingerprint=drafted.item.written.fingerprint)
    return ProblemScreened.after(drafted, "screening", item=item)


def _writing(item: Item) -> tuple[Provenance, ...]:
    """Who wrote it: the panel trusts nobody's verdict on their own problem. It was paid for when it was written."""
    calls = (call for step in item.lineage if step.type == ProblemDrafted.type for call in step.calls)
    return tuple(call.with_(**ORIGINAL_CALLS) for call in calls)
