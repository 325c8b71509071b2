"""The flow as data: which event travels on which Kafka topic, from whom to whom.

Kafka topics, group offsets, JSON Schemas, the picture in the README and the tests of the architecture are all made
from these two tables. What a service consumes and produces stands here and nowhere else.
"""

from dataclasses import dataclass

from schemas import events as e
from schemas.events import Event

DEFAULT_PARTITIONS = 8
"""Partitions of a Kafka topic that many replicas share."""

EVENT_LIMIT = 8 * 1024 * 1024
"""Largest event in bytes."""

DEAD_LETTERS = "dead-letters"
"""Kafka topic of records that could not be handled: original key, bytes and headers."""

TOPIC_IDS = "incarnations"
"""Compacted Kafka topic: Kafka topic name → id given when it was created, and who was given offsets in it.
Every service looks into it before it begins."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One event on its Kafka topic, which has its name. Kept for ever, or trimmed once everybody is past it."""

    event: type[Event]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int = DEFAULT_PARTITIONS
    retained: bool = False

    @property
    def name(self) -> str:
        return self.event.type


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One deployment of a folder in services/."""

    name: str
    module: str
    single_active: bool = False
    """Whether only one replica may work."""
    state: tuple[tuple[str, int], ...] = ()
    """Compacted Kafka topics that hold its state, with their partitions."""
    reads: tuple[str, ...] = ()
    """Kafka topics that it looks into besides, without a group."""


COST_BEARING_EVENTS: tuple[type[Event], ...] = (
    e.TopicExpanded,
    e.ProblemDrafted,
    e.ProblemScreened,
    e.ProblemVerified,
    e.ProblemAccepted,
    e.ProblemProbed,
    e.ProblemRejected,
    e.SolutionRequested,
    e.SolutionSynthesized,
    e.SolutionChecked,
    e.AuditJudged,
)
"""Events that tell the model calls they took. Who minds the budget adds these up when Valkey has lost the sum."""

SERVICES = (
    ServiceSpec(
        "planner",
        "planner",
        single_active=True,
        state=(("planner-state", 1),),
        reads=tuple(event.type for event in COST_BEARING_EVENTS),
    ),
    ServiceSpec("expansion", "expansion"),
    ServiceSpec("problem_writer", "problem_writer"),
    ServiceSpec("screening", "screening", reads=("problem.screened", "solution.checked", "problem.rejected")),
    ServiceSpec("verifier-a", "verifier"),
    ServiceSpec("verifier-b", "verifier"),
    ServiceSpec("panel", "panel", state=(("panel-cases-changelog", DEFAULT_PARTITIONS),)),
    ServiceSpec("probe", "probe"),
    ServiceSpec("synthesis", "synthesis"),
    ServiceSpec("answer_checker", "answer_checker"),
    ServiceSpec("auditor", "auditor"),
    ServiceSpec("aggregator", "aggregator", single_active=True, state=(("aggregator-published", 1),)),
)

SERVICE: dict[str, ServiceSpec] = {service.name: service for service in SERVICES}

_ANY = tuple(service.name for service in SERVICES)
_VERIFIERS = ("verifier-a", "verifier-b")

FLOW = (
    Flow(e.PlanAdopted, ("planner",), (), partitions=1),
    Flow(e.BudgetReached, ("planner",), (), partitions=1),
    Flow(e.SubjectRequested, ("planner",), ("expansion",)),
    Flow(e.TopicExpanded, ("expansion",), ("planner",)),
    Flow(e.ProblemRequested, ("planner",), ("problem_writer",)),
    Flow(e.ProblemDrafted, ("problem_writer", "auditor"), ("screening",)),
    Flow(e.ProblemScreened, ("screening", "auditor"), _VERIFIERS),
    Flow(e.ProblemVerified, _VERIFIERS, ("panel",)),
    Flow(e.ProblemAccepted, ("panel",), ("probe",)),
    Flow(e.ProblemProbed, ("probe",), ("synthesis",)),
    Flow(e.SolutionRequested, ("answer_checker",), ("synthesis",)),
    Flow(e.SolutionSynthesized, ("synthesis",), ("answer_checker",)),
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
    Flow(e.TrainingTriggered, ("aggregator",), ("trainer",), partitions=1, retained=True),
    Flow(e.TrainingCompleted, ("trainer",), (), partitions=1),
    Flow(e.TrainingFailed, ("trainer",), (), partitions=1),
    Flow(e.EvaluationCompleted, ("trainer",), ("planner",), partitions=1),
    Flow(e.AuditJudged, ("screening", "panel", "answer_checker"), ("aggregator",), retained=True),
)

BY_TYPE: dict[str, Flow] = {flow.name: flow for flow in FLOW}


def consumed_by(service: str) -> tuple[Flow, ...]:
    """What a service reads."""
    return tuple(flow for flow in FLOW if service in flow.consumers)


def produced_by(service: str) -> tuple[Flow, ...]:
    """What a service writes."""
    return tuple(flow for flow in FLOW if service in flow.producers)


def consumers() -> tuple[str, ...]:
    """Every consumer group of the factory, each once, in the order of the flow."""
    return tuple(dict.fromkeys(name for flow in FLOW for name in flow.consumers))
