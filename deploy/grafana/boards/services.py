"""Dashboard: rates, errors, slots and lag of each service."""

from deploy.grafana.panels import EVERYWHERE, Board, Variable, lines
from deploy.grafana.promql import RATE, quantile

_SERVICE = Variable(
    "service",
    "service",
    "chimera_ready",
    r"chimera_(?:events|retries|event|slots|in_flight|ready|redeliveries)\w*|service:chimera_\w+:\w+",
)
_PROCESS = "{{process}}{{pod}}"
_DURATION = "chimera_event_duration_seconds_bucket"

BOARD = Board(
    "services",
    "Services",
    "Which service is slow, fails, or needs replicas.",
    (
        lines(
            "Throughput",
            "Events finished per second.",
            "eps",
            (f"sum by (service) (rate(chimera_events_total{RATE}))", "{{service}}"),
        ),
        lines(
            "Dead letters",
            "Fraction of events that became dead letters. An alert fires above 1 %.",
            "percentunit",
            (
                f'sum by (service) (rate(chimera_events_total{{outcome="dead_letter"}}{RATE}))'
                f" / sum by (service) (rate(chimera_events_total{RATE}))",
                "{{service}}",
            ),
            limit=0.01,
        ),
        lines(
            "Retries",
            "Attempts after the first. `transient`: an external cause; `bug`: an error in the service.",
            "eps",
            (f"sum by (service, error) (rate(chimera_retries_total{RATE}))", "{{service}} {{error}}"),
        ),
        lines(
            "Processing time, 95 %",
            "From consumption of an event to its output; mostly model calls.",
            "s",
            (quantile(0.95, _DURATION, "service"), "{{service}}"),
        ),
        lines(
            "Busy slots",
            "Fraction of the slots. Full slots and a growing lag: add replicas.",
            "percentunit",
            ("sum by (service) (chimera_slots_busy) / sum by (service) (chimera_slots)", "{{service}}"),
        ),
        lines(
            "In flight",
            "Events consumed and not finished, including those waiting for a retry.",
            "short",
            ("sum by (service) (chimera_in_flight)", "{{service}}"),
        ),
        lines("Lag", "Records not yet consumed, by service.", "short", ("service:chimera_lag:sum", "{{service}}")),
        lines(
            "Age at consumption, 90 %",
            "How long events waited before they were consumed.",
            "s",
            (quantile(0.9, "chimera_event_age_seconds_bucket", "service"), "{{service}}"),
            limit=3600,
        ),
        lines(
            "Replicas",
            "Processes that are ready. Those beyond the number of partitions are idle.",
            "short",
            ("sum by (service) (chimera_ready)", "{{service}}"),
            (
                "max(count by (service) (label_replace(count by (consumergroup, partition) (kafka_consumergroup_lag),"
                ' "service", "$1", "consumergroup", "[^.]+[.](.+)")))',
                "partitions",
            ),
        ),
        lines(
            "Redeliveries",
            "Events that an earlier attempt had already started: after crashes, rebalances and deploys.",
            "eps",
            (f"sum by (service) (rate(chimera_redeliveries_total{RATE}))", "{{service}}"),
        ),
        lines(
            "Memory",
            "Resident memory of each process. One that grows without end is killed at its container's limit.",
            "bytes",
            (
                'max by (process, pod, instance) (process_resident_memory_bytes{job="chimera"})',
                _PROCESS + " {{instance}}",
            ),
        ),
        lines(
            "Processor",
            "Cores that each process uses. One is the most: a process at one is the limit of its service.",
            "short",
            (
                f'max by (process, pod, instance) (rate(process_cpu_seconds_total{{job="chimera"}}{RATE}))',
                _PROCESS + " {{instance}}",
            ),
        ),
        lines(
            "Age of processes",
            "Time since each process started. A line that falls to zero is a restart.",
            "s",
            (
                'time() - max by (process, pod, instance) (process_start_time_seconds{job="chimera"})',
                _PROCESS + " {{instance}}",
            ),
        ),
        lines(
            "Restarts",
            "Starts of each process within the last hour, at the same address. More than one or two: read its log.",
            "short",
            (
                'max by (process, pod, instance) (changes(process_start_time_seconds{job="chimera"}[1h]))',
                _PROCESS + " {{instance}}",
            ),
        ),
    ),
    (*EVERYWHERE, _SERVICE),
)
