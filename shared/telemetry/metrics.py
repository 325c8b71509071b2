"""The catalogue of metrics. No other module defines one.

The number of label values is small: services and events of the flow, constants, subjects of the plan, endpoints and
models of the models file. A value from the log passes through `bounded_label`.
"""

from itertools import product

from prometheus_client import Counter, Gauge, Histogram

from schemas.flow import consumed_by, produced_by
from schemas.outcomes import Admission

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 5, 10, 20, 40, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1800, 3600, 7200)
"""A call of 70 s and one of 250 s are in different buckets, with several between them."""
_LONG = (1, 5, 20, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)

OUTCOMES = ("done", "repeated", "dead_letter")
ERRORS = ("transient", "bug")
ENDINGS = ("row", "rejected")
ADMISSIONS = (Admission.IN, Admission.RESERVE)

EVENTS = Counter(
    "chimera_events", f"Consumed events by outcome: {', '.join(OUTCOMES)}", ["service", "event", "outcome"]
)
EVENTS_PER_SECOND = Gauge(
    "chimera_events_per_second",
    "Consumed events per second in the last 10 s, for readers without a history",
    ["service"],
)
PRODUCED = Counter("chimera_events_produced", "Produced events, acknowledged by the broker", ["service", "event"])
RETRIES = Counter(
    "chimera_retries", "Attempts after the first, by class of error: transient, bug", ["service", "error"]
)
REDELIVERIES = Counter("chimera_redeliveries", "Events with an earlier attempt", ["service", "event"])
DURATION = Histogram(
    "chimera_event_duration_seconds",
    "From intake of an event to the acknowledgement of the events it produced",
    ["service", "event"],
    buckets=_SECONDS,
)
AGE = Histogram(
    "chimera_event_age_seconds",
    "From the Kafka timestamp of an event to its intake",
    ["service", "event"],
    buckets=_LONG,
)
IN_FLIGHT = Gauge("chimera_in_flight", "Events being handled", ["service"])
SLOTS = Gauge("chimera_slots", "Events that one process may handle concurrently", ["service"])
SLOTS_BUSY = Gauge("chimera_slots_busy", "Slots in use", ["service"])
READY = Gauge("chimera_ready", "1 when the service has its partitions and reaches the broker", ["service"])
SUPERSEDED = Counter(
    "chimera_superseded",
    "Dropped events: another content under the same id came first. Only after Valkey was lost",
    ["service", "event"],
)
STOPPED = Gauge(
    "chimera_stopped", "1 while the service consumes nothing because its last events all failed", ["service"]
)
LAG = Gauge(
    "kafka_consumergroup_lag",
    "Records from a group's committed offset to the end of a partition; the name is that of the common Kafka exporter",
    ["consumergroup", "topic", "partition"],
)

# The state of the plan, from the planner. Subjects are those of the plan.

REQUESTED_ROWS = Gauge(
    "chimera_rows_wanted", "Target number of rows of the plan; infinite for rows: forever", ["subject"]
)
ROWS = Gauge("chimera_rows", f"Rows by admission: {', '.join(ADMISSIONS)}", ["subject", "admission"])
OPEN = Gauge("chimera_problems_open", "Problems in progress", ["subject"])
OPEN_LIMIT = Gauge("chimera_problems_open_limit", "Largest number of problems in progress, of the plan")
PARKED = Gauge(
    "chimera_problems_parked", "Problems whose record became a dead letter; replay or drop them", ["subject"]
)
PAUSED = Gauge("chimera_requests_paused", "1 while no problem is requested although rows are missing", ["reason"])
TOPICS = Gauge("chimera_topics", "Topics that are open, or why they are closed", ["subject", "state"])
YIELD = Gauge("chimera_yield_ratio", "Share of problems that become rows, as the planner estimates it", ["subject"])
ENDED = Counter("chimera_problems_ended", "Ended problems: row, rejected", ["subject", "ending"])
REJECTED = Counter("chimera_problems_rejected", "Rejected problems by service and reason", ["service", "reason"])
ITEM_SECONDS = Histogram(
    "chimera_problem_duration_seconds",
    "From the request of a problem to its end, for problems requested since the planner started",
    ["ending"],
    buckets=_LONG,
)

VERDICTS = ("accepted", "rejected")
AUDITS = Counter("chimera_audits", f"Judged audit items: {', '.join(VERDICTS)}", ["kind", "outcome"])
AUDIT_CHECKS = Counter(
    "chimera_audit_checks",
    "Results of a check on audit items, with a planted error and controls: passed, noticed, unable",
    ["check", "broken", "finding"],
)

# The trainer's current run; no values without one.

TRAINING_OUTCOMES = ("completed", "failed", "interrupted", "superseded")
TRAINING_RUNS = Counter("chimera_training_runs", f"Runs by outcome: {', '.join(TRAINING_OUTCOMES)}", ["outcome"])
TRAINING_STEP = Gauge("chimera_training_step", "Steps done in the current phase: sft, rl, control", ["phase"])
TRAINING_STEPS = Gauge("chimera_training_steps", "All steps of the phase", ["phase"])
TRAINING_LOSS = Gauge("chimera_training_loss", "Loss of the last step", ["phase"])
TRAINING_REWARD = Gauge("chimera_training_reward", "Mean reward of the last step of RL", ["phase"])
TRAINING_TOKENS = Gauge("chimera_training_tokens", "Tokens processed by the phase", ["phase"])

# Model calls, with OpenTelemetry's names for generative AI (semantic conventions, gen-ai-metrics) and its buckets.

CALL = [
    *("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model"),
    "chimera_role",
]
"""Provider: the endpoint's alias. Response model: the weights, or the name in the answer. Role: the calling service."""
TOKENS = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of an answered call, by gen_ai_token_type: input, output",
    [*CALL, "gen_ai_token_type"],
    buckets=[4**power for power in range(14)],
)
CALL_DURATION = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "From the request to the end of the answer",
    CALL,
    buckets=[0.01 * 2**power for power in range(14)],
)
MODEL_CALLS = Counter(
    "chimera_model_calls",
    "Requests by outcome: answered, refused (repeated), timed_out, broken, invalid",
    ["endpoint", "model", "outcome"],
)
MODEL_DOLLARS = Counter(
    "chimera_model_dollars",
    "Cost of answered calls in US dollars, by calling service; absent where a price is unknown",
    ["endpoint", "model", "service"],
)
MODEL_FIRST_TOKEN = Histogram(
    "chimera_model_first_token_seconds",
    "From the request to the first token",
    ["endpoint"],
    buckets=[0.01 * 2**power for power in range(14)],
)
MODEL_LIMIT = Gauge("chimera_model_limit", "Current limit of calls in flight", ["endpoint"])
MODEL_WAITING = Gauge("chimera_model_waiting", "Calls that wait for a slot, or to be repeated", ["endpoint"])
MODEL_CIRCUIT_OPEN = Gauge("chimera_model_circuit_open", "1 while the endpoint takes no calls", ["endpoint"])

SPENT_TOKENS = Gauge("chimera_spent_tokens", "Tokens spent in total; model `all` is the sum", ["model"])
SPENT_DOLLARS = Gauge("chimera_spent_dollars", "US dollars spent in total; absent where a price is unknown", ["model"])
BUDGET_TOKENS = Gauge("chimera_budget_tokens", "The plan's limit in tokens; model `all` is for the sum", ["model"])
BUDGET_DOLLARS = Gauge("chimera_budget_dollars", "The plan's limit in US dollars", ["model"])

OTHER = "other"
_MAX_VALUES = 64
_seen: dict[str, set[str]] = {}


def bounded_label(label: str, value: str) -> str:
    """Limit the values of a label: the first 64 different ones, then `other`."""
    seen = _seen.setdefault(label, set())
    if value not in seen and len(seen) >= _MAX_VALUES:
        return OTHER
    seen.add(value)
    return value


def start_at_zero(service: str) -> None:
    """Start the series of a service at 0, so that its first increment is visible."""
    for flow in consumed_by(service):
        for outcome in OUTCOMES:
            EVENTS.labels(service, flow.name, outcome)
        for metric in (DURATION, AGE, REDELIVERIES):
            metric.labels(service, flow.name)
    for flow in produced_by(service):
        PRODUCED.labels(service, flow.name)
    for error in ERRORS:
        RETRIES.labels(service, error)
    IN_FLIGHT.labels(service)
    for outcome in TRAINING_OUTCOMES if service == "trainer" else ():
        TRAINING_RUNS.labels(outcome)


def plan_at_zero(subjects: list[str]) -> None:
    """Start the planner's series at 0."""
    for subject, ending in product(subjects, ENDINGS):
        ENDED.labels(subject, ending)
    for ending in ENDINGS:
        ITEM_SECONDS.labels(ending)
