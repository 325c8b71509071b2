"""Counts from the events on the log. They add up for any order of events, and events may come more than once."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from uuid import UUID

from schemas.config.plan import Plan
from schemas.events import (
    AuditJudged,
    BudgetReached,
    DatasetReleased,
    Event,
    ItemEvent,
    ProblemAccepted,
    ProblemParked,
    ProblemProbed,
    ProblemRejected,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    SampleCurated,
    SampleDeleted,
    SubjectRequested,
    TopicExpanded,
)
from schemas.outcomes import Admission

FOLLOWED = (
    SubjectRequested,
    TopicExpanded,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    ProblemAccepted,
    ProblemProbed,
    ProblemRejected,
    ProblemParked,
    SampleCurated,
    SampleDeleted,
    DatasetReleased,
    BudgetReached,
    AuditJudged,
)
"""The events that are read; only some rejected items contain a long solution."""

ENDS = (*Admission, "rejected", "parked", "deleted")
"""The ends of a problem."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The latest rejection. The detail may be a model's text."""

    problem: UUID
    subject: str
    service: str
    detail: str


class Funnel:
    """The state of each problem. Adding an event takes constant time."""

    def __init__(self) -> None:
        self.last_rejected: Rejection | None = None
        self.release: DatasetReleased | None = None
        self.budget: set[str] = set()
        """Hashes of the plans whose budget was reached."""
        self.failed_topics: dict[str, str] = {}
        """Why a request for topics failed, by subject."""
        self.ends: Counter[str] = Counter()
        """Ended problems by their end."""
        self.rows: Counter[str] = Counter()
        """Admitted rows by subject."""
        self.reasons: Counter[str] = Counter()
        """Rejections by reason."""
        self._imported: set[UUID] = set()
        self._seen: defaultdict[str, set[UUID]] = defaultdict(set)
        self._topics_of: dict[UUID, str] = {}
        """Subject of each request for topics."""
        self._problems: dict[UUID, str | None] = {}
        self._verdicts: defaultdict[UUID, set[str]] = defaultdict(set)
        self._admissions: dict[UUID, tuple[int, str]] = {}

    def add(self, event: Event) -> None:
        """Add one event."""
        if isinstance(event, ItemEvent | SampleCurated) and _is_imported(event):
            self._imported.add(event.trace)
        self._count(event)

    def _count(self, event: Event) -> None:
        match event:
            case AuditJudged():
                self._seen[event.type].add(event.item.id)
            case ProblemRejected():
                self._reject(event)
            case SampleCurated():
                latest = (event.cause.index, event.admission)
                self._admissions[event.sample_id] = max(latest, self._admissions.get(event.sample_id, latest))
                self._apply(event.type, event.sample_id, event.subject)
            case SampleDeleted():
                self._apply(event.type, event.sample_id, event.subject)
            case ItemEvent() | ProblemRequested() | ProblemParked():
                if isinstance(event, ProblemVerified):
                    self._verdicts[event.item.id].add(event.verdict.role)
                self._apply(event.type, event.trace)
            case DatasetReleased():
                self.release = max(event, self.release or event, key=lambda release: release.release)
            case BudgetReached():
                self.budget.add(event.plan_hash)
            case SubjectRequested() | TopicExpanded():
                self._expand(event)

    def _expand(self, event: SubjectRequested | TopicExpanded) -> None:
        request = event.id if isinstance(event, SubjectRequested) else event.cause.parent
        self._seen[event.type].add(request)
        self._topics_of[request] = event.subject
        if isinstance(event, TopicExpanded) and event.failed:
            self.failed_topics[event.subject] = event.failed

    def _reject(self, event: ProblemRejected) -> None:
        if event.item.id not in self._seen[event.type]:
            self.reasons[event.reason] += 1
            self.last_rejected = Rejection(event.item.id, event.item.topic.subject, event.service, event.detail)
        self._apply(event.type, event.item.id)

    def _apply(self, event: str, problem: UUID, subject: str = "") -> None:
        self._seen[event].add(problem)
        before, after = self._problems.get(problem), self._end(problem)
        self._problems[problem] = after
        if before == after:
            return
        for end, sign in ((before, -1), (after, 1)):
            if end:
                self.ends[end] += sign
            if end == Admission.IN:
                self.rows[subject] += sign

    def _end(self, problem: UUID) -> str | None:
        """Return the end of a problem, one of ENDS; `None` while it is in flight."""
        if problem in self._seen[SampleDeleted.type]:
            return "deleted"
        if problem in self._admissions:
            return self._admissions[problem][1]
        if problem in self._seen[ProblemRejected.type]:
            return "rejected"
        return "parked" if problem in self._seen[ProblemParked.type] else None

    @property
    def requested(self) -> int:
        """All problems that the planner requested."""
        return len(self._problems) - self.imported

    @property
    def imported(self) -> int:
        """All problems that were imported."""
        return len(self._imported)

    @property
    def in_flight(self) -> int:
        return len(self._problems) - self.ends.total()

    @property
    def screened(self) -> int:
        return len(self._seen[ProblemScreened.type])

    @property
    def verified(self) -> int:
        """Problems with both verdicts."""
        return sum(len(roles) > 1 for roles in self._verdicts.values())

    @property
    def accepted(self) -> int:
        """Without a probe in the plan, accepted problems are on the log as `problem.probed` only."""
        return len(self._seen[ProblemAccepted.type] | self._seen[ProblemProbed.type])

    @property
    def curated(self) -> int:
        return len(self._admissions)

    @property
    def audits(self) -> int:
        """Judged audit items. They are not among the requested problems."""
        return len(self._seen[AuditJudged.type])

    @property
    def waiting_for_topics(self) -> dict[UUID, str]:
        """Subjects by request, for requested topics that have not arrived."""
        waiting = self._seen[SubjectRequested.type] - self._seen[TopicExpanded.type]
        return {request: self._topics_of[request] for request in waiting}

    @property
    def yield_(self) -> float | None:
        """Share of ended problems that became rows; `None` before the first end."""
        total = self.ends.total()
        return (self.ends[Admission.IN] + self.ends[Admission.RESERVE]) / total if total else None

    @property
    def example(self) -> UUID | None:
        """Id of one admitted row."""
        return next((problem for problem, end in self._problems.items() if end == Admission.IN), None)

    @property
    def ended(self) -> dict[UUID, str]:
        """The end of each problem that has one, in the order of their requests."""
        return {problem: end for problem, end in self._problems.items() if end}

    def lacking(self, plan: Plan) -> dict[str, int]:
        """Return the missing rows of each subject that has too few."""
        return {name: quota - self.rows[name] for name, quota in plan.quotas().items() if self.rows[name] < quota}


def _is_imported(event: ItemEvent | SampleCurated) -> bool:
    return bool(event.imported if isinstance(event, SampleCurated) else event.item.source)
