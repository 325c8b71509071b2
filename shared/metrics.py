"""The catalogue of metrics. No metric is defined elsewhere."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "chimera_events", "Consumed events by how they ended: done, repeated, dead_letter", ["service", "event", "outcome"]
)
PRODUCED = Counter("chimera_events_produced", "Produced events, acknowledged by the broker", ["service", "event"])
RETRIES = Counter("chimera_retries", "Tries after the first, by class of error", ["service", "error"])
DURATION = Histogram(
    "chimera_event_duration_seconds",
    "From intake of an event to the acknowledgement of what it produced",
    ["service", "event"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800),
)
IN_FLIGHT = Gauge("chimera_in_flight", "Events being handled", ["service"])
READY = Gauge("chimera_ready", "1 when the service has its partitions and reaches the broker", ["service"])
AUDITS = Counter("chimera_audits", "Judged audit items: accepted, rejected", ["kind", "outcome"])
AUDIT_CHECKS = Counter(
    "chimera_audit_checks",
    "What a check found in audit items, broken ones and controls: passed, noticed, unable",
    ["check", "broken", "finding"],
)

# Calls to models, under OpenTelemetry's names for generative AI (semantic conventions, gen-ai-metrics) and its buckets.

CALL = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "chimera_role"]
"""Provider: the endpoint's alias. Role: the service that asks."""
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
    "Requests by how they ended: answered, refused (tried again), timed_out, broken, invalid",
    ["endpoint", "model", "outcome"],
)
MODEL_LIMIT = Gauge("chimera_model_limit", "Calls that may be in flight, as found out", ["endpoint"])
MODEL_WAITING = Gauge("chimera_model_waiting", "Calls that wait for a place, or to ask again", ["endpoint"])
MODEL_CIRCUIT_OPEN = Gauge("chimera_model_circuit_open", "1 while the endpoint takes no calls", ["endpoint"])

SPENT_TOKENS = Gauge("chimera_spent_tokens", "Tokens spent of the budget, ever; model `all` is the sum", ["model"])
SPENT_DOLLARS = Gauge(
    "chimera_spent_dollars", "US dollars spent of the budget, ever; absent where a price is unknown", ["model"]
)
BUDGET_TOKENS = Gauge("chimera_budget_tokens", "The plan's limit in tokens; model `all` is for the sum", ["model"])
BUDGET_DOLLARS = Gauge("chimera_budget_dollars", "The plan's limit in US dollars", ["model"])
