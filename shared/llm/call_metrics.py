"""Counts calls by outcome, with their duration, tokens and cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from schemas.item import Provenance
from shared.errors import Invalid, Transient
from shared.llm.errors import Busy, TimedOut
from shared.telemetry.metrics import CALL_DURATION, MODEL_CALLS, MODEL_DOLLARS, TOKENS, bounded_label

_OUTCOMES: dict[type[Exception], str] = {
    Busy: "refused",
    TimedOut: "timed_out",
    Transient: "broken",
    Invalid: "invalid",
}


class CallMetrics:
    """The metrics of one model for one service. The model that answered is known with the answer."""

    def __init__(self, endpoint: str, model: str, service: str) -> None:
        self._labels = (endpoint, model, service)
        self._calls = {
            outcome: MODEL_CALLS.labels(endpoint, model, outcome) for outcome in ("answered", *_OUTCOMES.values())
        }

    @contextmanager
    def count_failure(self) -> Iterator[None]:
        """Count the request of this block if it fails."""
        try:
            yield
        except tuple(_OUTCOMES) as error:
            self._calls[next(name for kind, name in _OUTCOMES.items() if isinstance(error, kind))].inc()
            raise

    def succeeded(self, call: Provenance) -> None:
        """Count an answer."""
        endpoint, model, service = self._labels
        answered_by = bounded_label("gen_ai_response_model", call.weights or call.served or call.model)
        labels = ("chat", endpoint, model, answered_by, service)
        self._calls["answered"].inc()
        CALL_DURATION.labels(*labels).observe(call.latency_s)
        for kind, tokens in (("input", call.prompt_tokens), ("output", call.completion_tokens)):
            if tokens is not None:
                TOKENS.labels(*labels, kind).observe(tokens)
        if call.cost is not None:
            MODEL_DOLLARS.labels(*self._labels).inc(call.cost)


call_metrics = lru_cache(CallMetrics)
"""The metrics of an endpoint's alias, a model and a service."""
