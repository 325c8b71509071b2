"""Dashboard: calls, concurrency limits, tokens and money by endpoint and model."""

from deploy.grafana.panels import EVERYWHERE, Board, Variable, lines
from deploy.grafana.promql import RATE, quantile

_MODEL = Variable("model", "gen_ai_response_model", "gen_ai_client_token_usage_count", r"gen_ai_\w+")
_CALLS = "gen_ai_client_operation_duration_seconds_bucket"
_TOKENS = "gen_ai_client_token_usage_sum"

BOARD = Board(
    "models",
    "Models and money",
    "Calls, concurrency limits, tokens and cost, by endpoint and model.",
    (
        lines(
            "Tokens",
            "Per second, by model and service.",
            "short",
            (
                f"sum by (gen_ai_response_model, chimera_role) (rate({_TOKENS}{RATE}))",
                "{{gen_ai_response_model}} {{chimera_role}}",
            ),
        ),
        lines(
            "Input and output tokens",
            "Per second, by model.",
            "short",
            (
                f"sum by (gen_ai_response_model, gen_ai_token_type) (rate({_TOKENS}{RATE}))",
                "{{gen_ai_response_model}} {{gen_ai_token_type}}",
            ),
        ),
        lines(
            "Call duration, 95 %",
            "From the request to the end of the response.",
            "s",
            (quantile(0.95, _CALLS, "gen_ai_response_model"), "{{gen_ai_response_model}}"),
        ),
        lines(
            "Time to first token, 95 %",
            "The first sign of an overloaded server.",
            "s",
            (quantile(0.95, "chimera_model_first_token_seconds_bucket", "endpoint"), "{{endpoint}}"),
        ),
        lines(
            "Calls by outcome",
            "Refused calls (429, 503) are retried and cost nothing; broken and timed-out calls may cost.",
            "reqps",
            (f"sum by (endpoint, outcome) (rate(chimera_model_calls_total{RATE}))", "{{endpoint}} {{outcome}}"),
        ),
        lines(
            "Concurrency limit",
            "Maximum calls in flight as found by the limiter, summed over all processes.",
            "short",
            ("sum by (endpoint) (chimera_model_limit)", "{{endpoint}}"),
        ),
        lines(
            "Waiting calls",
            "Waiting for a permit or a retry. Many of them with a low limit: the endpoint is the bottleneck.",
            "short",
            ("sum by (endpoint) (chimera_model_waiting)", "{{endpoint}}"),
        ),
        lines(
            "Circuit open",
            "1 while the circuit breaker of an endpoint is open.",
            "short",
            ("max by (endpoint) (chimera_model_circuit_open)", "{{endpoint}}"),
            limit=1,
        ),
        lines(
            "Budget used",
            "Fraction of each budget of the plan. At 1 no new problem is requested.",
            "percentunit",
            ("account:chimera_budget_used:ratio", "{{model}} {{unit}}"),
            limit=0.8,
        ),
        lines(
            "Budget left",
            "In tokens, by budget.",
            "short",
            ("max by (model) (chimera_budget_tokens) - max by (model) (chimera_spent_tokens)", "{{model}}"),
        ),
        lines(
            "Dollars per hour",
            "By model and calling service; empty where a price is unknown.",
            "currencyUSD",
            (
                f"3600 * sum by (model, service) (rate(chimera_model_dollars_total{RATE}))",
                "{{model}} {{service}}",
            ),
        ),
        lines(
            "Dollars spent",
            "US dollars charged to the budget; empty where a price is unknown.",
            "currencyUSD",
            ("max by (model) (chimera_spent_dollars)", "{{model}}"),
        ),
        lines(
            "vLLM queue",
            "Requests that a vLLM server has accepted and not started.",
            "short",
            ("sum by (model_name) (vllm:num_requests_waiting)", "{{model_name}}"),
        ),
        lines(
            "vLLM KV cache",
            "At 1 vLLM preempts requests: lower `max_concurrency` or add memory.",
            "percentunit",
            ("max by (model_name) (vllm:kv_cache_usage_perc)", "{{model_name}}"),
        ),
    ),
    (*EVERYWHERE, _MODEL),
)
