"""How a model's server departs from an ideal one: slow, busy, broken. All at rest: at once, without limit or fault.

Set by model id or for all (`*`; a model's own entry replaces it whole), at start by `CHIMERA_SIM_FAULTS` and at run
time by `PUT /sim/faults`:

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
"""No work is begun: an error status, or the connection is closed without a byte."""
Unworked = Literal["hang", "garbage", "error_body"]
"""Work is begun, yet no answer is made: silence, an HTML page with status 200, an error with status 200."""
Broken = Literal["stall", "cut", "unfinished"]
"""Half of the answer; then silence, or a closed connection, or a clean end without finish reason, usage, `[DONE]`."""
Spoiled = Literal["refusal", "refusal_text", "content_filter", "empty", "truncated", "other_model"]
"""An answer in good form that is no answer to the question, or comes from somebody else."""
Endless = Literal["runaway", "trickle"]
"""An answer that is far too large, or that comes token by token, minutes apart."""
Fault = Rejection | Unworked | Broken | Spoiled | Endless

REJECTIONS, UNWORKED, BROKEN = get_args(Rejection), get_args(Unworked), get_args(Broken)


class Faults(BaseModel):
    """The faults of one model's server. Milliseconds, seconds and tokens; rates are probabilities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_token_ms: NonNegativeFloat = 0
    """From the beginning of the work to the first token."""
    tokens_per_s: PositiveFloat | None = None
    """How fast tokens follow; the time comes on top of `latency_ms`. Without it they take no time of their own."""
    spread: NonNegativeFloat = 0
    """Long tail: all times of a call are stretched by one lognormal factor of mean 1, this its standard deviation in
    logarithms (0.5: one call in a hundred takes almost three times as long). A request's factor is always the same."""

    at_once: PositiveInt | None = None
    """Calls worked on at the same time; None is no limit."""
    busy: Literal["refuse", "queue"] = "refuse"
    """What becomes of a call beyond `at_once`: 429, or it waits its turn as in vLLM, which never says 429."""
    retry_after_s: NonNegativeInt | None = None
    """`Retry-After` of every 429 and 503; without it there is no such header."""

    outage: Literal["503", "reset"] | None = None
    """Every call fails so; in the entry `*` the list of models and the metrics too."""
    rates: dict[Fault, Rate] = {}
    """How probable each fault is. One throw a call decides, so they add up to 1 at most."""
    hang_s: PositiveFloat = 600
    """Longest silence of `hang` and `stall`; then, or when the client leaves, the connection is closed."""
    runaway_mb: PositiveFloat = 10
    """Size of a `runaway`, in 10⁶ characters."""
    trickle_s: PositiveFloat = 60
    """Seconds from token to token of a `trickle`."""

    structured: Literal["yes", "refuse", "ignore"] = "yes"
    """`json_schema` is obeyed; answered with 400, as old servers do; or ignored: JSON comes wrapped in prose."""

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if sum(self.rates.values()) > 1 + 1e-9:
            raise ValueError("the rates add up to more than 1")
        return self

    def pick(self, throw: float) -> Fault | None:
        """Return the fault that a throw between 0 and 1 falls on, if any."""
        for fault, rate in self.rates.items():
            throw -= rate
            if throw < 0:
                return fault
        return None
