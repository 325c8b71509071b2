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

SPENT_TOKENS = Gauge("chimera_spent_tokens", "Tokens spent of the budget, ever; model `all` is the sum", ["model"])
SPENT_DOLLARS = Gauge(
    "chimera_spent_dollars", "US dollars spent of the budget, ever; absent where a price is unknown", ["model"]
)
BUDGET_TOKENS = Gauge("chimera_budget_tokens", "The plan's limit in tokens; model `all` is for the sum", ["model"])
BUDGET_DOLLARS = Gauge("chimera_budget_dollars", "The plan's limit in US dollars", ["model"])
