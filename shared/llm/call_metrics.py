"""Counts what calls come to."""

from functools import lru_cache

from schemas.item import Provenance
from shared.errors import Invalid, Transient
from shared.llm.errors import Busy, TimedOut, UnsupportedSchema
from shared.telemetry.metrics import CALL_DURATION, MODEL_CALLS, MODEL_DOLLARS, TOKENS

_OUTCOMES: dict[type[Exception], str] = {
    Busy: "refused",
    TimedOut: "timed_out",
    Transient: "broken",
    Invalid: "invalid",
    UnsupportedSchema: "invalid",
}


class CallMetrics:
    """The metrics of one model for one service; looked up once."""

    def __init__(self, endpoint: str, model: str, service: str) -> None:
        labels = ("chat", endpoint, model, service)
        self._duration = CALL_DURATION.labels(*labels)
        self._input, self._output = TOKENS.labels(*labels, "input"), TOKENS.labels(*labels, "output")
        self._who = (endpoint, model, service)
        self._calls = {
            outcome: MODEL_CALLS.labels(endpoint, model, outcome) for outcome in ("answered", *_OUTCOMES.values())
        }

    def failed(self, error: Exception) -> None:
        """Count a request without an answer."""
        self._calls[_OUTCOMES[type(error)]].inc()

    def succeeded(self, call: Provenance) -> None:
        """Count an answer."""
        self._calls["answered"].inc()
        self._duration.observe(call.latency_s)
        if call.prompt_tokens is not None:
            self._input.observe(call.prompt_tokens)
        if call.completion_tokens is not None:
            self._output.observe(call.completion_tokens)
        if call.cost is not None:
            MODEL_DOLLARS.labels(*self._who).inc(call.cost)


call_metrics = lru_cache(CallMetrics)
"""The meter of an endpoint's alias, a model and a service."""
