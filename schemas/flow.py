"""The flow as data: the producers and consumers of each event.

Kafka topics, group offsets, JSON Schemas, the diagram in the README and the architecture tests are derived from these
two tables. Only they declare what a service consumes and produces.
"""

from dataclasses import dataclass

from schemas import events as e
from schemas.events import Event

DEFAULT_PARTITIONS = 8
"""Partitions of a Kafka topic that many replicas share."""

EVENT_LIMIT = 8 * 1024 * 1024
"""Largest event in bytes."""

UNCONSUMED_RETENTION_MS = 7 * 24 * 3600 * 1000
"""Age at which records are deleted that no group consumes."""

DEAD_LETTERS = "dead-letters"
"""Kafka topic of records that could not be handled: original key, bytes and headers."""

TOPIC_IDS = "incarnations"
"""Compacted Kafka topic: Kafka topic name → id given at its creation, and the groups with initial offsets in it. Every
service reads it before it starts."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One event on the Kafka topic of the same name.

    Unless retained, its records are deleted once all groups have finished them, or by age when no group consumes them.
    """

    event: type[Event]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int = DEFAULT_PARTITIONS
    retained: bool = False

    @property
    def name(self) -> str:
        return self.event.type

    @property
    def expires(self) -> bool:
        """Whether its records are deleted by age."""
        return not self.consumers and not self.retained


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One deployment of a folder in services/."""

    name: str
    module: str
    single_active: bool = False
    """Whether only one replica is active."""
    state: tuple[tuple[str, int], ...] = ()
    """Compacted Kafka topics with its state, and their numbers of partitions."""
    reads: tuple[str, ...] = ()
    """Further Kafka topics that it reads without a consumer group."""
    side_branch: bool = False
    """Whether problems continue without it, although its outputs are consumed."""
    needs_models: bool = False
    """Whether it stops working while the endpoints of its models are unavailable."""
    may_use_models: bool = False
    """Whether it calls models if the models file has them (an embedder, a judge)."""
    plan: tuple[str, ...] = ()
    """Sections of the plan that it reads once, at its start: of `subjects` the names, of `budget` whether there is one.
    Planner and aggregator follow the whole plan while they run, and callers of models the limits of its budget."""

    @property
    def models(self) -> bool:
        """Whether it reads the models file."""
        return self.needs_models or self.may_use_models


COST_BEARING_EVENTS: tuple[type[Event], ...] = (
    e.TopicExpanded,
    e.ProblemDrafted,
    e.ProblemScreened,
    e.ProblemVerified,
    e.EvidenceGiven,
    e.ProblemAccepted,
    e.ProblemProbed,
    e.ProblemRejected,
    e.SolutionRequested,
    e.SolutionSynthesized,
    e.SolutionChecked,
    e.AuditJudged,
    e.ProblemReverified,
    e.ProblemResolved,
    e.ProblemReprobed,
)
"""Events that carry model calls. The planner adds up their cost when Valkey has lost the sums."""

SERVICES = (
    ServiceSpec(
        "planner",
        "planner",
        single_active=True,
        state=(("planner-state", 1),),
        reads=(*(event.type for event in COST_BEARING_EVENTS), DEAD_LETTERS),
    ),
    ServiceSpec("expansion", "expansion", needs_models=True, plan=("budget", "language")),
    ServiceSpec("problem_writer", "problem_writer", needs_models=True, plan=("budget", "language")),
    ServiceSpec(
        "screening",
        "screening",
        reads=("problem.screened", "solution.checked", "problem.rejected"),
        may_use_models=True,
        plan=("benchmarks", "budget", "language", "variants"),
    ),
    ServiceSpec("verifier-a", "verifier", needs_models=True, plan=("budget", "language", "subjects", "verification")),
    ServiceSpec("verifier-b", "verifier", needs_models=True, plan=("budget", "language", "subjects", "verification")),
    ServiceSpec("adjudicator", "adjudicator", needs_models=True, plan=("budget", "language")),
    ServiceSpec(
        "panel",
        "panel",
        state=(("panel-cases-changelog", DEFAULT_PARTITIONS),),
        reads=(e.BeliefEstimated.type,),
        plan=("solving", "verification"),
    ),
    ServiceSpec("probe", "probe", needs_models=True, plan=("budget", "language", "solving")),
    ServiceSpec("synthesis", "synthesis", needs_models=True, plan=("budget", "language")),
    ServiceSpec(
        "answer_checker",
        "answer_checker",
        needs_models=True,
        plan=("audits", "budget", "language", "solving", "verification"),
    ),
    ServiceSpec("auditor", "auditor", side_branch=True, plan=("audits", "benchmarks", "subjects")),
    ServiceSpec("aggregator", "aggregator", single_active=True, state=(("aggregator-published", 1),)),
)

SERVICE: dict[str, ServiceSpec] = {service.name: service for service in SERVICES}

_ANY = tuple(service.name for service in SERVICES)
VERIFIERS = tuple(service.name for service in SERVICES if service.module == "verifier")
"""The services that verify each problem, independently of each other."""
ADJUDICATOR = "adjudicator"
GIVERS = (*VERIFIERS, ADJUDICATOR)
"""The services that give evidence which the panel requests."""

FLOW = (
    Flow(e.PlanAdopted, ("planner",), (), partitions=1, retained=True),
    Flow(e.BudgetReached, ("planner",), (), partitions=1, retained=True),
    Flow(e.SubjectRequested, ("planner",), ("expansion",)),
    Flow(e.TopicExpanded, ("expansion",), ("planner",)),
    Flow(e.ProblemRequested, ("planner",), ("problem_writer",)),
    Flow(e.ProblemDrafted, ("problem_writer", "auditor", "cli"), ("screening",)),
    Flow(e.ProblemScreened, ("screening", "auditor", "cli"), VERIFIERS),
    Flow(e.ProblemVerified, VERIFIERS, ("panel",)),
    Flow(e.EvidenceRequested, ("panel",), GIVERS),
    Flow(e.EvidenceGiven, GIVERS, ("panel",)),
    Flow(e.ProblemAccepted, ("panel", "cli"), ("probe",)),
    Flow(e.ProblemProbed, ("panel", "probe"), ("synthesis",)),
    Flow(e.SolutionRequested, ("answer_checker", "cli"), ("synthesis",)),
    Flow(e.SolutionSynthesized, ("synthesis", "cli"), ("answer_checker",)),
    Flow(e.SolutionChecked, ("answer_checker",), ("aggregator", "auditor"), retained=True),
    Flow(
        e.ProblemRejected,
        ("problem_writer", "screening", "panel", "probe", "answer_checker", "cli"),
        ("planner", "aggregator"),
        retained=True,
    ),
    Flow(e.ProblemParked, _ANY, ("planner",)),
    Flow(e.SampleCurated, ("aggregator",), ("planner",), retained=True),
    Flow(e.SampleDeleted, ("cli",), ("planner", "aggregator"), retained=True),
    Flow(e.DatasetReleased, ("aggregator",), (), partitions=1, retained=True),
    Flow(e.BeliefEstimated, ("aggregator",), (), partitions=1, retained=True),
    Flow(e.TrainingTriggered, ("aggregator",), ("trainer",), partitions=1, retained=True),
    Flow(e.TrainingCompleted, ("trainer",), (), partitions=1, retained=True),
    Flow(e.TrainingFailed, ("trainer",), (), partitions=1, retained=True),
    Flow(e.EvaluationCompleted, ("trainer",), ("planner",), partitions=1),
    Flow(e.AuditJudged, ("screening", *GIVERS, "panel", "answer_checker"), ("aggregator",), retained=True),
    Flow(e.ProblemReverified, ("panel",), ("aggregator",), retained=True),
    Flow(e.ProblemResolved, ("answer_checker",), ("aggregator",), retained=True),
    Flow(e.ProblemReprobed, ("probe",), ("aggregator",), retained=True),
    Flow(e.ProblemReviewed, ("cli",), ("aggregator",), retained=True),
)

BY_TYPE: dict[str, Flow] = {flow.name: flow for flow in FLOW}

_STATES = {name: partitions for service in SERVICES for name, partitions in service.state}
_BY_PARTITION = {service.name for service in SERVICES if any(partitions > 1 for _, partitions in service.state)}
"""Services that keep their state by partition of the events they consume."""

FIXED_PARTITIONS: dict[str, int] = {
    TOPIC_IDS: 1,
    **_STATES,
    **{flow.name: flow.partitions for flow in FLOW if flow.partitions == 1 or _BY_PARTITION & set(flow.consumers)},
}
"""Kafka topics whose keys must stay in their partitions, and how many partitions they use. Further ones stay empty."""


def consumed_by(service: str) -> tuple[Flow, ...]:
    """The flows that a service consumes."""
    return tuple(flow for flow in FLOW if service in flow.consumers)


def produced_by(service: str) -> tuple[Flow, ...]:
    """The flows that a service produces."""
    return tuple(flow for flow in FLOW if service in flow.producers)


def is_side_branch(service: str) -> bool:
    """Whether problems continue without a service, so that its dead letters park none."""
    outputs = [flow for flow in produced_by(service) if flow.event is not e.ProblemParked]
    is_marked = service in SERVICE and SERVICE[service].side_branch
    return is_marked or (bool(outputs) and not any(flow.consumers for flow in outputs))


def consumers() -> tuple[str, ...]:
    """All consumers, each once, in the order of the flow."""
    return tuple(dict.fromkeys(name for flow in FLOW for name in flow.consumers))
