"""Dashboard: Kafka lag, rows by admission, audits of the checks."""

from deploy.grafana.panels import Board, bars, lines
from deploy.grafana.promql import RATE

_VERDICTS = "chimera_audits_total"
_PRODUCED = "chimera_events_produced_total"


def _share(outcome: str, match: str) -> str:
    kind = f'kind{match}"control-.*"'
    ended = f'sum({_VERDICTS}{{outcome="{outcome}", {kind}}})'
    return f"({ended} or vector(0)) / sum({_VERDICTS}{{{kind}}})"


BOARD = Board(
    "dataset",
    "Kafka and dataset",
    "Kafka lag, rows by admission, and how reliable the checks are.",
    (
        lines(
            "Lag by Kafka topic",
            "Records not yet consumed, by consumer group and Kafka topic.",
            "short",
            ("sum by (consumergroup, topic) (kafka_consumergroup_lag)", "{{consumergroup}} {{topic}}"),
        ),
        lines(
            "Largest lag of a partition",
            "One partition far above the others: a slow record or a stuck process.",
            "short",
            ("max by (consumergroup) (kafka_consumergroup_lag)", "{{consumergroup}}"),
        ),
        lines(
            "Events produced",
            "Per second, by event type.",
            "eps",
            (f"sum by (event) (rate(chimera_events_produced_total{RATE}))", "{{event}}"),
        ),
        lines(
            "Rows by admission",
            "Rows in `reserve` exceed the target of their subject or difficulty bin.",
            "short",
            ("sum by (admission) (chimera_rows)", "{{admission}}"),
        ),
        lines(
            "Evidence per decision",
            "Pieces of evidence beyond the first round, divided by the decisions of the panel, by the service that "
            "gave them. If it rises, verifiers miss more keys or agree less.",
            "short",
            (
                f'sum by (service) (rate({_PRODUCED}{{event="evidence.given"}}{RATE}))'
                f' / scalar(sum(rate({_PRODUCED}{{service="panel", event=~"problem.(accepted|rejected)"}}{RATE})) > 0)',
                "{{service}}",
            ),
        ),
        lines(
            "Planted errors accepted",
            "Fraction of the broken audit items that were accepted: an estimate of false accepts.",
            "percentunit",
            (
                _share("accepted", "!~"),
                "accepted",
            ),
            limit=0.1,
        ),
        lines(
            "Good items rejected",
            "Fraction of the unchanged control items that were rejected: an estimate of false rejects.",
            "percentunit",
            (
                _share("rejected", "=~"),
                "rejected",
            ),
        ),
        bars(
            "Findings by check",
            "In audit items, broken (yes) or not (no), since the aggregator started.",
            "short",
            "sum by (check, broken, finding) (chimera_audit_checks_total)",
            "{{check}} broken={{broken}} {{finding}}",
        ),
        bars(
            "Audits by kind",
            "Outcome of audit items by kind of planted error, since the aggregator started.",
            "short",
            f"sum by (kind, outcome) ({_VERDICTS})",
            "{{kind}} {{outcome}}",
        ),
    ),
)
