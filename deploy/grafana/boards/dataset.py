"""What waits in the log, and are the checks to be believed?"""

from deploy.grafana.panels import Board, bars, lines
from deploy.grafana.promql import RATE

_VERDICTS = "chimera_audits_total"


def _share(outcome: str, match: str) -> str:
    kind = f'kind{match}"control-.*"'
    ended = f'sum({_VERDICTS}{{outcome="{outcome}", {kind}}})'
    return f"({ended} or vector(0)) / sum({_VERDICTS}{{{kind}}})"


BOARD = Board(
    "dataset",
    "Kafka and dataset",
    "How much waits in the log, what became rows, and how far are the checks to be believed?",
    (
        lines(
            "Lag by Kafka topic",
            "Records that wait, by group and Kafka topic.",
            "short",
            ("sum by (consumergroup, topic) (kafka_consumergroup_lag)", "{{consumergroup}} {{topic}}"),
        ),
        lines(
            "Worst partition",
            "One far above the others: a record that takes long, or a stuck process.",
            "short",
            ("max by (consumergroup) (kafka_consumergroup_lag)", "{{consumergroup}}"),
        ),
        lines(
            "Events made",
            "A second, by event.",
            "eps",
            (f"sum by (event) (rate(chimera_events_produced_total{RATE}))", "{{event}}"),
        ),
        lines(
            "Rows by admission",
            "`reserve` is beyond the target of its subject or bin.",
            "short",
            ("sum by (admission) (chimera_rows)", "{{admission}}"),
        ),
        lines(
            "Broken items let through",
            "Of those broken on purpose: an estimate of false accepts, since the aggregator started.",
            "percentunit",
            (
                _share("accepted", "!~"),
                "let through",
            ),
        ),
        lines(
            "Good items refused",
            "Share of controls that were rejected: what the checks cost.",
            "percentunit",
            (
                _share("rejected", "=~"),
                "refused",
            ),
        ),
        bars(
            "What each check finds",
            "In audit items that are broken (yes) or not (no), since the aggregator started.",
            "short",
            "sum by (check, broken, finding) (chimera_audit_checks_total)",
            "{{check}} broken={{broken}} {{finding}}",
        ),
        bars(
            "Audits by kind",
            "Which defects are let through, since the aggregator started.",
            "short",
            f"sum by (kind, outcome) ({_VERDICTS})",
            "{{kind}} {{outcome}}",
        ),
    ),
)
