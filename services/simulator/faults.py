"""Settings that make a model's server slow, busy or broken. By default it is fast, unlimited and without faults.

They are set by model id or for all models (`*`; a model's own entry replaces it), at the start by `CHIMERA_SIM_FAULTS`
and at run time by `PUT /sim/faults`:

    {"*": {"rates": {"503": 0.1}}, "sim-solver": {"at_once": 16, "busy": "queue", "tokens_per_s": 80}}
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

Rate = Annotated[float, Field(ge=0, le=1)]

Rejection = Literal["429", "500", "503", "reset"]
"""No work: an error status, or the connection is closed without a byte."""
Unworked = Literal["hang", "garbage", "error_body"]
"""Work without an answer: silence, an HTML page with status 200, an error with status 200."""
Broken = Literal["stall", "cut", "unfinished"]
"""Half of the answer, then silence, a closed connection, or a clean end without finish reason, usage and `[DONE]`."""
Spoiled = Literal["refusal", "refusal_text", "content_filter", "empty", "truncated", "other_model"]
"""A well-formed answer that does not answer the question, or is from another model."""
Endless = Literal["runaway", "trickle"]
"""An answer that is far too large, or that comes token by token with long pauses."""
Fault = Rejection | Unworked | Broken | Spoiled | Endless

REJECTIONS, UNWORKED, BROKEN = get_args(Rejection), get_args(Unworked), get_args(Broken)


class Faults(BaseModel):
    """The faults of one model's server. Milliseconds, seconds and tokens; rates are probabilities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_token_ms: NonNegativeFloat = 0
    """Time from the start of work to the first token."""
    tokens_per_s: PositiveFloat | None = None
    """Speed of further tokens, in addition to `latency_ms`; by default they take no time."""
    spread: NonNegativeFloat = 0
    """Long tail: all times of a call are multiplied by one lognormal factor of mean 1 with this standard deviation of
    its logarithm (0.5: one call in a hundred takes almost three times as long). Equal requests have equal factors."""

    at_once: PositiveInt | None = None
    """Concurrent calls; `None` is no limit."""
    busy: Literal["refuse", "queue"] = "refuse"
    """Response to a call beyond `at_once`: 429, or a queue as in vLLM, which never sends 429."""
    retry_after_s: NonNegativeInt | None = None
    """`Retry-After` header of every 429 and 503, in seconds; no header by default."""

    outage: Literal["503", "reset"] | None = None
    """The failure of every call; in the entry `*` also of the list of models and the metrics."""
    rates: dict[Fault, Rate] = {}
    """Probability of each fault. One draw per call decides, so the sum is at most 1."""
    hang_s: PositiveFloat = 600
    """Longest silence of `hang` and `stall`; then, or when the client disconnects, the connection is closed."""
    runaway_mb: PositiveFloat = 10
    """Size of a `runaway`, in 10⁶ characters."""
    trickle_s: PositiveFloat = 60
    """Seconds between the tokens of a `trickle`."""

    structured: Literal["yes", "refuse", "ignore"] = "yes"
    """`json_schema` is applied; answered with 400, as old servers do; or ignored: the JSON is inside prose."""

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if sum(self.rates.values()) > 1 + 1e-9:
            raise ValueError("the rates add up to more than 1")
        return self

    def pick(self, draw: float) -> Fault | None:
        """Return the fault of a random number between 0 and 1, if any."""
        for fault, rate in self.rates.items():
            draw -= rate
            if draw < 0:
                return fault
        return None
