"""From the events on the log to counts that add up, whatever their order and however often they are said."""

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
    ProblemRejected,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    SampleCurated,
    SampleDeleted,
    SubjectRequested,
    TopicExpanded,
)

FOLLOWED = (
    SubjectRequested,
    TopicExpanded,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    ProblemAccepted,
    ProblemRejected,
    ProblemParked,
    SampleCurated,
    SampleDeleted,
    DatasetReleased,
    BudgetReached,
    AuditJudged,
)
"""What is read: none of them holds a long solution, except some of the rejected."""

ENDS = ("in", "reserve", "aside", "rejected", "parked", "deleted")
"""What can become of a problem."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The latest rejection, for a person. The detail may be a model's text."""

    problem: UUID
    subject: str
    service: str
    detail: str


class Funnel:
    """What has been heard of each problem. Costs the same for every event, however many there were."""

    def __init__(self) -> None:
        self.last_rejected: Rejection | None = None
        self.release: DatasetReleased | None = None
        self.budget: set[str] = set()
        """Hashes of the plans whose budget was reached."""
        self.ends: Counter[str] = Counter()
        """Problems by what became of them."""
        self.rows: Counter[str] = Counter()
        """Admitted rows by subject."""
        self.reasons: Counter[str] = Counter()
        """Rejections by their word."""
        self._heard: defaultdict[str, set[UUID]] = defaultdict(set)
        self._problems: dict[UUID, str | None] = {}
        self._verdicts: defaultdict[UUID, set[str]] = defaultdict(set)
        self._admissions: dict[UUID, tuple[int, str]] = {}

    def add(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case AuditJudged():
                self._heard[event.type].add(event.item.id)
            case ProblemRejected():
                self._reject(event)
            case SampleCurated():
                said = (event.cause.index, event.admission)
                self._admissions[event.sample_id] = max(said, self._admissions.get(event.sample_id, said))
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
                self._heard[event.type].add(event.id if isinstance(event, SubjectRequested) else event.cause.parent)

    def _reject(self, event: ProblemRejected) -> None:
        if event.item.id not in self._heard[event.type]:
            self.reasons[event.reason] += 1
            self.last_rejected = Rejection(event.item.id, event.item.topic.subject, event.service, event.detail)
        self._apply(event.type, event.item.id)

    def _apply(self, what: str, problem: UUID, subject: str = "") -> None:
        self._heard[what].add(problem)
        before, after = self._problems.get(problem), self._end(problem)
        self._problems[problem] = after
        if before == after:
            return
        for end, sign in ((before, -1), (after, 1)):
            if end:
                self.ends[end] += sign
            if end == "in":
                self.rows[subject] += sign

    def _end(self, problem: UUID) -> str | None:
        """What became of a problem, one of ENDS; `None` while it is in flight."""
        if problem in self._heard[SampleDeleted.type]:
            return "deleted"
        if problem in self._admissions:
            return self._admissions[problem][1]
        if problem in self._heard[ProblemRejected.type]:
            return "rejected"
        return "parked" if problem in self._heard[ProblemParked.type] else None

    @property
    def requested(self) -> int:
        """Problems that were ever heard of."""
        return len(self._problems)

    @property
    def in_flight(self) -> int:
        return self.requested - self.ends.total()

    @property
    def screened(self) -> int:
        return len(self._heard[ProblemScreened.type])

    @property
    def verified(self) -> int:
        """Problems with both verdicts."""
        return sum(len(roles) > 1 for roles in self._verdicts.values())

    @property
    def accepted(self) -> int:
        return len(self._heard[ProblemAccepted.type])

    @property
    def curated(self) -> int:
        return len(self._admissions)

    @property
    def audits(self) -> int:
        """Judged audit items. None of them is a problem that somebody asked for."""
        return len(self._heard[AuditJudged.type])

    @property
    def waiting_for_topics(self) -> bool:
        """Whether topics were asked for that have not come."""
        return bool(self._heard[SubjectRequested.type] - self._heard[TopicExpanded.type])

    @property
    def yield_(self) -> float | None:
        """Share of ended problems that became rows; `None` before the first ending."""
        total = self.ends.total()
        return (self.ends["in"] + self.ends["reserve"]) / total if total else None

    @property
    def example(self) -> UUID | None:
        """Id of one admitted row."""
        return next((problem for problem, end in self._problems.items() if end == "in"), None)

    def lacking(self, plan: Plan) -> dict[str, int]:
        """Rows that each subject still lacks."""
        return {name: quota - self.rows[name] for name, quota in plan.quotas().items() if self.rows[name] < quota}
