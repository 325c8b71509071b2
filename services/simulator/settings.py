"""Settings of the simulator, from the environment with the prefix `CHIMERA_SIM_` (maps as JSON)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, NonNegativeFloat, PositiveFloat, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.config.models_config import CHAT_ROLES, simulated_model
from services.simulator.faults import Faults, Rate

MEDIUM = 1.8
ABILITIES = dict.fromkeys(map(simulated_model, CHAT_ROLES), MEDIUM) | {
    "sim-writer": 2.0,
    "sim-verifier-b": 1.4,
    "sim-adjudicator": 2.0,
    "sim-solver": 2.2,
    "sim-judge": 1.6,
    "sim-base": 0.0,
    "sim-all": MEDIUM,
}
"""The models, one for each role, and their abilities. A problem of difficulty d is solved with probability
logistic(ability − d)."""


JUDGE_FALSE_ALARM = 0.05
"""Probability that a judge with a declared `judge_catch` refuses a right key."""


def check_model(model: str) -> str:
    """Reject an unknown model: a typing error would otherwise have no effect."""
    if model not in ABILITIES:
        raise ValueError(f"no model {model!r}; there are {', '.join(ABILITIES)}")
    return model


Model = Annotated[str, AfterValidator(check_model)]
FaultsByModel = dict[Literal["*"] | Model, Faults]
"""`*` stands for every model without its own entry."""


class Settings(BaseSettings):
    """The settings. All rates are probabilities between 0 and 1."""

    model_config = SettingsConfigDict(env_prefix="CHIMERA_SIM_", frozen=True)

    seed: int = 0
    """Seed of the bank and of all random numbers."""
    large_bank: bool = False
    """Whether the bank has 100,000 problems, for long runs, and is built before the server starts."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8100
    """Port to listen on; 0 chooses a free one."""
    api_key: SecretStr | None = None
    """If set, requests need it as bearer token; otherwise they get 401."""
    wrong_keys: Rate = 0.1
    """Share of drafts with a wrong key."""
    key_overlap: Rate = 0.25
    """Share of wrong keys that are a slip that solvers also make, not a misprint."""
    error_agreement: Rate | None = None
    """Mean share of the wrong attempts at a problem that give its common error; other wrong answers rarely repeat. Not
    set: every wrong answer is one of the problem's three slips."""
    judge_catch: Rate | None = None
    """Probability that a judge refuses a wrong key; it refuses a right one with 0.05. Not set: by ability."""
    adjudicator_right: Rate | None = None
    """Probability that an adjudicator takes the right one of two answers, or neither. Not set: by ability."""
    dependence: dict[Model, Rate] = {}
    """By model id, the probability that an attempt is the draw that all models named here share on a problem."""
    solve_rates: tuple[PositiveFloat, PositiveFloat] | None = None
    """Parameters of the Beta distribution from which the solve rate of each problem is drawn, one for all models. Not
    set: by ability and difficulty."""
    malformed: Rate = 0.03
    """Share of drafts that are not valid JSON."""
    bad_form: Rate = 0.03
    """Share of drafts that are bad items: multiple choice, or the answer is in the text."""
    abilities: dict[Model, float] = {}
    """Abilities that replace the built-in ones, by model id."""
    latency_ms: dict[Model, NonNegativeFloat] = {}
    """Time of an answer, by model id; streamed answers spread it over their chunks. Default 0."""
    faults: FaultsByModel = {}
    """Faults at the start, none by default. `PUT /sim/faults` changes them."""
    call_log: Path | None = None
    """JSON lines: one per answered call, for tests that count calls."""
    request_log: Path | None = None
    """JSON lines: one when a chat request is refused, begins and ends, for tests that count requests."""

    def ability(self, model: str) -> float:
        """Return the ability of a model. Raises KeyError for an unknown model."""
        return {**ABILITIES, **self.abilities}[model]
