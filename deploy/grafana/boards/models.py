"""What limits, and what does it cost?"""

from deploy.grafana.panels import Board, lines
from deploy.grafana.promql import RATE, quantile

_CALLS = "gen_ai_client_operation_duration_seconds_bucket"
_TOKENS = "gen_ai_client_token_usage_sum"

BOARD = Board(
    "models",
    "Models and money",
    "What do the models do, what is their limit, and what has it cost?",
    (
        lines(
            "Tokens",
            "A second, by model and service.",
            "short",
            (
                f"sum by (gen_ai_request_model, chimera_role) (rate({_TOKENS}{RATE}))",
                "{{gen_ai_request_model}} {{chimera_role}}",
            ),
        ),
        lines(
            "Tokens read and made",
            "A second, by model.",
            "short",
            (
                f"sum by (gen_ai_request_model, gen_ai_token_type) (rate({_TOKENS}{RATE}))",
                "{{gen_ai_request_model}} {{gen_ai_token_type}}",
            ),
        ),
        lines(
            "Time of a call, 95 %",
            "From the request to the end of the answer.",
            "s",
            (quantile(0.95, _CALLS, "gen_ai_request_model"), "{{gen_ai_request_model}}"),
        ),
        lines(
            "Time to first token, 95 %",
            "Grows first when a server has too much to do.",
            "s",
            (quantile(0.95, "chimera_model_first_token_seconds_bucket", "endpoint"), "{{endpoint}}"),
        ),
        lines(
            "Calls by how they ended",
            "Refused (429, 503) are asked again and cost nothing; broken and timed out may cost.",
            "reqps",
            (f"sum by (endpoint, outcome) (rate(chimera_model_calls_total{RATE}))", "{{endpoint}} {{outcome}}"),
        ),
        lines(
            "Limit",
            "Calls that may be in flight, as found out, over all processes.",
            "short",
            ("sum by (endpoint) (chimera_model_limit)", "{{endpoint}}"),
        ),
        lines(
            "Calls that wait",
            "For a place, or to ask again. Many and a low limit: the endpoint is the bottleneck.",
            "short",
            ("sum by (endpoint) (chimera_model_waiting)", "{{endpoint}}"),
        ),
        lines(
            "Circuit open",
            "1 while an endpoint takes no calls.",
            "short",
            ("max by (endpoint) (chimera_model_circuit_open)", "{{endpoint}}"),
        ),
        lines(
            "Budget used",
            "Share of each limit of the plan. At 1 no problem is begun.",
            "percentunit",
            ("account:chimera_budget_used:ratio", "{{model}} {{unit}}"),
        ),
        lines(
            "Budget left",
            "In tokens, by limit.",
            "short",
            ("max by (model) (chimera_budget_tokens) - max by (model) (chimera_spent_tokens)", "{{model}}"),
        ),
        lines(
            "Dollars an hour",
            "By model and by the service that asks; nothing where a price is unknown.",
            "currencyUSD",
            (
                f"3600 * sum by (model, service) (rate(chimera_model_dollars_total{RATE}))",
                "{{model}} {{service}}",
            ),
        ),
        lines(
            "Money",
            "US dollars spent of the budget, where every price is known.",
            "currencyUSD",
            ("max by (model) (chimera_spent_dollars)", "{{model}}"),
        ),
        lines(
            "Queue of the server",
            "What a vLLM server has taken and does not work on yet.",
            "short",
            ("sum by (model_name) (vllm:num_requests_waiting)", "{{model_name}}"),
        ),
        lines(
            "KV cache of the server",
            "At 1 it preempts: lower `max_concurrency` or add memory.",
            "percentunit",
            ("max by (model_name) (vllm:kv_cache_usage_perc)", "{{model_name}}"),
        ),
    ),
)
