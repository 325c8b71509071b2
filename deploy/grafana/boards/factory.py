"""Dashboard: growth of the dataset, cost of a row, time to completion."""

from deploy.grafana.panels import Board, bars, lines, number
from deploy.grafana.promql import RATE, quantile

_ENDED = "chimera_problems_ended_total"
_TOKENS = "gen_ai_client_token_usage_sum"

BOARD = Board(
    "factory",
    "Factory",
    "Growth of the dataset, cost of a row, and time to completion.",
    (
        number(
            "Rows admitted",
            "Rows with admission `in`, which count towards the plan.",
            "short",
            'sum(chimera_rows{admission="in"})',
        ),
        number(
            "Plan completed",
            "Fraction of the rows that the plan asks for; empty for `rows: forever`.",
            "percentunit",
            'sum(chimera_rows{admission="in"}) / (sum(chimera_rows_wanted) < Inf)',
        ),
        number(
            "Time to completion",
            "At the rate of the last hour; empty while no rows arrive, and for `rows: forever`.",
            "s",
            '((sum(chimera_rows_wanted) < Inf) - sum(chimera_rows{admission="in"}))'
            ' / (deriv(sum(chimera_rows{admission="in"})[1h:15s]) > 0)',
        ),
        number(
            "Yield",
            "Fraction of the problems ended in the last hour that became rows. If it falls, see Rejections.",
            "percentunit",
            f'sum(increase({_ENDED}{{ending="row"}}[1h])) / sum(increase({_ENDED}[1h]))',
        ),
        number(
            "Tokens per row",
            "Tokens of all calls of the last hour, divided by the rows of that hour.",
            "short",
            f'sum(increase({_TOKENS}[1h])) / (sum(increase({_ENDED}{{ending="row"}}[1h])) > 0)',
        ),
        number(
            "Dollars per row",
            "Cost of all calls of the last hour, divided by the rows of that hour; empty where a price is unknown.",
            "currencyUSD",
            f'sum(increase(chimera_model_dollars_total[1h])) / (sum(increase({_ENDED}{{ending="row"}}[1h])) > 0)',
        ),
        number(
            "Problems parked",
            "Problems with a dead letter. Inspect them with `chimera dead-letters list`.",
            "short",
            "sum(chimera_problems_parked)",
        ),
        lines(
            "Rows per hour",
            "By subject, including rows in reserve and rows whose solution misses the key.",
            "short",
            (f'3600 * sum by (subject) (rate({_ENDED}{{ending="row"}}{RATE}))', "{{subject}}"),
        ),
        bars(
            "Funnel",
            "Events produced in the time range. A step far below the previous one is where problems are lost.",
            "short",
            "sort_desc(sum by (event) (increase(chimera_events_produced_total[$__range])))",
            "{{event}}",
        ),
        bars(
            "Coverage by subject",
            "Admitted rows, as a fraction of the target; empty for `rows: forever`. A subject that falls behind lacks "
            "yield or topics.",
            "percentunit",
            'sum by (subject) (chimera_rows{admission="in"}) / (sum by (subject) (chimera_rows_wanted) < Inf)',
            "{{subject}}",
        ),
        lines(
            "Rejections",
            "Per hour, by service and reason. Many of one kind point to one model.",
            "short",
            (
                f"3600 * sum by (service, reason) (rate(chimera_problems_rejected_total{RATE}))",
                "{{service}} {{reason}}",
            ),
        ),
        lines(
            "Expected yield",
            "The yield that the planner assumes when it requests problems.",
            "percentunit",
            ("max by (subject) (chimera_yield_ratio)", "{{subject}}"),
        ),
        lines(
            "Time from request to end",
            "How long a problem takes. More work in progress increases it without increasing throughput.",
            "s",
            (quantile(0.5, "chimera_problem_duration_seconds_bucket", "ending"), "median, {{ending}}"),
            (quantile(0.95, "chimera_problem_duration_seconds_bucket", "ending"), "95 %, {{ending}}"),
        ),
        lines(
            "Problems in progress",
            "By subject; the plan limits the sum.",
            "short",
            ("max by (subject) (chimera_problems_open)", "{{subject}}"),
        ),
    ),
)
