"""Who is slow, or broken?"""

from deploy.grafana.panels import Board, lines
from deploy.grafana.promql import RATE, quantile

_DURATION = "chimera_event_duration_seconds_bucket"

BOARD = Board(
    "services",
    "Services",
    "Which service is slow, broken, or in need of replicas?",
    (
        lines(
            "Rate",
            "Events finished a second.",
            "eps",
            (f"sum by (service) (rate(chimera_events_total{RATE}))", "{{service}}"),
        ),
        lines(
            "Dead letters",
            "Share of events put aside. Above 1 % is an alert.",
            "percentunit",
            (
                f'sum by (service) (rate(chimera_events_total{{outcome="dead_letter"}}{RATE}))'
                f" / sum by (service) (rate(chimera_events_total{RATE}))",
                "{{service}}",
            ),
        ),
        lines(
            "Retries",
            "Tries after the first. Transient: the world; bug: ours.",
            "eps",
            (f"sum by (service, error) (rate(chimera_retries_total{RATE}))", "{{service}} {{error}}"),
        ),
        lines(
            "Duration, 95 %",
            "From intake to what followed from it; mostly the model's time.",
            "s",
            (quantile(0.95, _DURATION, "service"), "{{service}}"),
        ),
        lines(
            "Slots taken",
            "Share of the slots. Full with a lag that grows: add replicas.",
            "percentunit",
            ("sum by (service) (chimera_slots_busy) / sum by (service) (chimera_slots)", "{{service}}"),
        ),
        lines(
            "In flight",
            "Events taken and not finished, those that wait for a retry too.",
            "short",
            ("sum by (service) (chimera_in_flight)", "{{service}}"),
        ),
        lines(
            "Lag", "Records that wait, by who has to read them.", "short", ("service:chimera_lag:sum", "{{service}}")
        ),
        lines(
            "Age at intake, 95 %",
            "How long events have waited when they are taken up.",
            "s",
            (quantile(0.95, "chimera_event_age_seconds_bucket", "service"), "{{service}}"),
        ),
        lines(
            "Replicas",
            "Processes that are ready. More than partitions are idle.",
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
            "Events that another try had begun before: after crashes, rebalances, deploys.",
            "eps",
            (f"sum by (service) (rate(chimera_redeliveries_total{RATE}))", "{{service}}"),
        ),
    ),
)
