"""Settings of the simulator, from the environment with the prefix `CHIMERA_SIM_` (maps as JSON)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, NonNegativeFloat, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.simulator.faults import Faults, Rate

ABILITIES = {
    "sim-writer": 2.0,
    "sim-verifier-a": 1.8,
    "sim-verifier-b": 1.4,
    "sim-solver": 2.2,
    "sim-judge": 1.6,
    "sim-base": 0.0,
    "sim-all": 1.8,
}
"""The models there are. A problem of difficulty d is solved with probability logistic(ability − d)."""


JUDGE_FALSE_ALARM = 0.05


def known(model: str) -> str:
    """Refuse a model that is not played: a typo would otherwise change nothing, in silence."""
    if model not in ABILITIES:
        raise ValueError(f"no model {model!r}; there are {', '.join(ABILITIES)}")
    return model


Model = Annotated[str, AfterValidator(known)]
FaultsByModel = dict[Literal["*"] | Model, Faults]
"""`*` stands for every model without an entry of its own."""


class Settings(BaseSettings):
    """What a person may turn. All rates are probabilities between 0 and 1."""

    model_config = SettingsConfigDict(env_prefix="CHIMERA_SIM_", frozen=True)

    seed: int = 0
    """Seed of the bank and of every die."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8100
    """Port to listen on; 0 takes a free one."""
    api_key: SecretStr | None = None
    """If set, requests need it as bearer token; otherwise 401."""
    wrong_keys: Rate = 0.1
    """Drafted items whose answer is not the truth."""
    key_overlap: Rate = 0.25
    """Of the wrong keys: those that are a slip solvers make too, not a misprint."""
    error_agreement: Rate | None = None
    """Mean share of the wrong attempts at a problem that give its common error, drawn for each problem; other wrong
    answers hardly come twice. Not set: every wrong answer is one of the problem's three slips."""
    judge_catch: Rate | None = None
    """Chance that a judge refuses a wrong key, whatever its ability and the problem; a right key it refuses with chance
    JUDGE_FALSE_ALARM. Not set: it knows by its ability."""
    dependence: dict[Model, Rate] = {}
    """By model id, the chance that an attempt is the one draw that all models named here have in common on a problem:
    what they share when they were trained alike."""
    malformed: Rate = 0.03
    """Drafts that are no valid JSON."""
    bad_form: Rate = 0.03
    """Drafts that are valid JSON but bad items: multiple choice, or the answer stands in the text."""
    abilities: dict[Model, float] = {}
    """Abilities that differ from the built-in ones, by model id."""
    latency_ms: dict[Model, NonNegativeFloat] = {}
    """How long an answer takes, by model id; streamed answers spread it over their chunks. Default 0."""
    faults: FaultsByModel = {}
    """How slow, busy and broken the models' servers are at the start; none. `PUT /sim/faults` changes it."""
    call_log: Path | None = None
    """JSON lines: one record per answered call, for tests that count calls."""
    request_log: Path | None = None
    """JSON lines: every chat request, when it is refused, begins and ends, for tests that count those."""

    def ability(self, model: str) -> float:
        """Return the ability of a model; KeyError if there is no such model."""
        return {**ABILITIES, **self.abilities}[model]
