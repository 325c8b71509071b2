"""Does the dataset grow, what does a row cost, when is it done?"""

from deploy.grafana.panels import Board, bars, lines, number
from deploy.grafana.promql import RATE, quantile

_ENDED = "chimera_problems_ended_total"
_TOKENS = "gen_ai_client_token_usage_sum"

BOARD = Board(
    "factory",
    "Factory",
    "Is the dataset growing, at what price, and when is it done?",
    (
        number("Rows in", "Rows that count for the plan.", "short", 'sum(chimera_rows{admission="in"})'),
        number(
            "Of the plan",
            "Share of the rows that the plan wants.",
            "percentunit",
            'sum(chimera_rows{admission="in"}) / sum(chimera_rows_wanted)',
        ),
        number(
            "To the plan",
            "At the speed of the last hour; nothing while no row comes.",
            "s",
            '(sum(chimera_rows_wanted) - sum(chimera_rows{admission="in"}))'
            ' / (deriv(sum(chimera_rows{admission="in"})[1h:15s]) > 0)',
        ),
        number(
            "Yield",
            "Share of ended problems that became rows of any kind, within the last hour. See rejections when it falls.",
            "percentunit",
            f'sum(increase({_ENDED}{{ending="row"}}[1h])) / sum(increase({_ENDED}[1h]))',
        ),
        number(
            "Tokens a row",
            "All calls of the last hour by the rows of that hour: what a row costs.",
            "short",
            f'sum(increase({_TOKENS}[1h])) / (sum(increase({_ENDED}{{ending="row"}}[1h])) > 0)',
        ),
        number(
            "Dollars a row",
            "The same in money; nothing where a price is unknown.",
            "currencyUSD",
            f'sum(increase(chimera_model_dollars_total[1h])) / (sum(increase({_ENDED}{{ending="row"}}[1h])) > 0)',
        ),
        number(
            "Parked",
            "Problems that wait for a person: look at the dead letters.",
            "short",
            "sum(chimera_problems_parked)",
        ),
        lines(
            "Rows per hour",
            "By subject, with those in reserve and those whose solution misses the key.",
            "short",
            (f'3600 * sum by (subject) (rate({_ENDED}{{ending="row"}}{RATE}))', "{{subject}}"),
        ),
        bars(
            "Funnel",
            "Events made in the time shown. The first step that is far below the one before loses the problems.",
            "short",
            "sort_desc(sum by (event) (increase(chimera_events_produced_total[$__range])))",
            "{{event}}",
        ),
        bars(
            "Coverage by subject",
            "Rows in, of those wanted. A subject that lags lacks yield or topics.",
            "percentunit",
            'sum by (subject) (chimera_rows{admission="in"}) / sum by (subject) (chimera_rows_wanted)',
            "{{subject}}",
        ),
        lines(
            "Rejections",
            "By the service that rejected and why; many of one kind point to one model.",
            "short",
            (
                f"3600 * sum by (service, reason) (rate(chimera_problems_rejected_total{RATE}))",
                "{{service}} {{reason}}",
            ),
        ),
        lines(
            "Expected yield",
            "What the planner reckons with when it asks for problems.",
            "percentunit",
            ("max by (subject) (chimera_yield_ratio)", "{{subject}}"),
        ),
        lines(
            "From request to ending",
            "How long a problem takes. More work in progress makes it longer, not more.",
            "s",
            (quantile(0.5, "chimera_problem_duration_seconds_bucket", "ending"), "half, {{ending}}"),
            (quantile(0.95, "chimera_problem_duration_seconds_bucket", "ending"), "95 %, {{ending}}"),
        ),
        lines(
            "Problems under way",
            "By subject; the plan limits the sum.",
            "short",
            ("max by (subject) (chimera_problems_open)", "{{subject}}"),
        ),
    ),
)
