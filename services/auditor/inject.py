"""Builds the events of an audit item. They equal those of a new problem, so that no service can tell them apart."""

from dataclasses import dataclass

from schemas.audit_tag import AuditTag
from schemas.events import Event, ProblemDrafted, ProblemScreened, SolutionChecked
from schemas.events.base import Cause
from schemas.identity import derive
from schemas.item import Item, Problem, Provenance, Topic
from shared.ports import TaggedEvent

ORIGINAL_CALLS = {"prompt_tokens": 0, "completion_tokens": 0, "reasoning_tokens": 0, "cost": 0.0}
"""Costs of the writer's calls in an audit item: they were paid for in the original."""


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """A problem to be sent through the checks."""

    tag: AuditTag
    problem: Problem
    topic: Topic
    screening: bool = False
    """Whether it passes through screening, which rejects texts that resemble earlier ones, as most audits do."""


def inject(event: SolutionChecked, audit: PlannedAudit) -> TaggedEvent:
    """Build the first event of an audit item, as if it had been requested, written and perhaps screened."""
    request = Event(
        id=derive(event.item.id, f"audit/{audit.tag.kind}"),
        cause=Cause(parent=event.id, parent_hash=event.hash, role="planner"),
    )
    item = Item(id=request.id, plan=event.item.plan, topic=audit.topic, problem=audit.problem)
    drafted = ProblemDrafted.of(request, "problem_writer", item, writer_calls(event.item) if audit.tag.source else ())
    return TaggedEvent(drafted if audit.screening else screened(drafted), audit.tag)


def screened(drafted: ProblemDrafted) -> ProblemScreened:
    """Build problem.screened. The lineage has no step of screening, which would count as a check that passed."""
    item = drafted.item.with_(fingerprint=drafted.item.written.fingerprint)
    return ProblemScreened.after(drafted, "screening", item=item)


def writer_calls(item: Item) -> tuple[Provenance, ...]:
    """Return the writer's calls at no cost: the panel needs the writer's model, and the calls were paid for already."""
    calls = (call for step in item.lineage if step.type == ProblemDrafted.type for call in step.calls)
    return tuple(call.with_(**ORIGINAL_CALLS) for call in calls)
