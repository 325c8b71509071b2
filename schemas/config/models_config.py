"""The models file: which model plays which role, where it is served, how it is sampled, what it costs.

A lab writes it as YAML or JSON. No key stands in it, only where one is found.
"""

import re
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

_ADDRESS = r"^https?://[^@\s?#]+$"
_VARIABLE = r"^[A-Z_][A-Z0-9_]*$"


def _address(text: str) -> str:
    if not re.match(_ADDRESS, text):
        raise ValueError("is no address like http://127.0.0.1:8000/v1, without user or query")
    return text


def _variable(text: str) -> str:
    if not re.match(_VARIABLE, text):
        raise ValueError("is no name of an environment variable like MY_KEY; the key does not go here")
    return text


BaseUrl = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": _ADDRESS})]
"""No user, no query: an address is logged, so it holds no secret."""

Variable = Annotated[str, AfterValidator(_variable), WithJsonSchema({"type": "string", "pattern": _VARIABLE})]
"""Capitals, digits and underscores, so that a key which was put here by mistake is not taken for a name, and told."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Price(_Section):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    """Thinking counts as output."""


class Endpoint(_Section):
    """An OpenAI-compatible endpoint."""

    base_url: BaseUrl
    """Address up to and including /v1."""
    key_env: Variable | None = None
    """Name of the environment variable that holds the key."""
    key_file: Path | None = None
    """A file with the key instead."""
    ca: Path | None = None
    """Certificates to trust, PEM; without it, those that the system trusts."""
    at_once: int = Field(default=64, ge=1)
    """Most calls that one process has in flight here. What the server takes is found out below it."""
    structured: Literal["auto", "schema", "prompt"] = "auto"
    """How a structured answer is asked for: by `response_format`, in the prompt, or by what the server turns out to
    understand."""
    first_token_s: float = Field(default=600.0, gt=0)
    """Longest wait for the first token, in seconds; the wait in the server's queue is part of it."""
    idle_s: float = Field(default=120.0, gt=0)
    """Longest silence after the first token, in seconds."""
    call_s: float = Field(default=7200.0, gt=0)
    """Longest call, in seconds."""
    simulated: bool = False
    """True for the simulator: every row made with it says so."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key_env and self.key_file:
            raise ValueError("key_env and key_file are both set: remove one of them")
        return self


class RoleModel(_Section):
    """What a role needs. What is `None` is left to the endpoint."""

    endpoint: str = "default"
    """Name of one of the `endpoints`."""
    model: str
    """Name of the model as served."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer, thinking included."""
    ceiling: int | None = Field(default=None, ge=1)
    """An answer that was cut off is asked for again with twice the tokens, up to here; by default never."""
    price: Price | None = None
    """Without it the cost is unknown, which is not 0."""
    extra: dict[str, Any] = {}
    """Whatever else the endpoint takes in a request: top_k, chat_template_kwargs, reasoning_effort, …"""

    def cost(self, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """US dollars for a call; `None` when the price or a count is unknown."""
        if self.price is None or prompt_tokens is None or completion_tokens is None:
            return None
        return (self.price.input * prompt_tokens + self.price.output * completion_tokens) / 1e6


MUST_DIFFER = (*combinations(("writer", "verifier_a", "verifier_b"), 2), ("solver", "judge"))
"""Pairs of roles of which one checks the other's work, or bears witness beside it."""

CHATTING = ("writer", "verifier_a", "verifier_b", "solver", "judge", "base")
"""Roles that one chat model can play, all of them."""
ROLES = (*CHATTING, "embedder")


class Roles(_Section):
    """Who plays what. `judge`, `base` and `embedder` may stay open while nothing asks for them."""

    writer: RoleModel
    """Makes topics and problems."""
    verifier_a: RoleModel
    verifier_b: RoleModel
    solver: RoleModel
    """Writes the long solutions."""
    judge: RoleModel | None = None
    """Compares answers that no rule can compare."""
    base: RoleModel | None = None
    """The model that will be trained: tells how hard a problem is."""
    embedder: RoleModel | None = None
    """Finds twins in quite other words; needs an endpoint for embeddings."""


class ModelsConfig(_Section):
    """All models of a factory."""

    endpoints: dict[str, Endpoint] = Field(min_length=1)
    """By a name of your own, which is what rows, logs and metrics show."""
    roles: Roles
    allow_shared: bool = False
    """Let one model play roles that check each other: a model's verdict on its own work is worth less, and every row
    made so says `independent: false`."""

    @model_validator(mode="after")
    def _endpoints_are_there(self) -> Self:
        for role, part in self.assigned().items():
            if part.endpoint not in self.endpoints:
                names = ", ".join(self.endpoints)
                raise ValueError(f"role {role}: no endpoint {part.endpoint!r}; there are {names}")
        return self

    @classmethod
    def one(cls, place: Endpoint, model: str, endpoint: str = "default") -> Self:
        """One model for all roles. Its verdicts on its own work are worth less; every row names the model."""
        part = RoleModel(endpoint=endpoint, model=model)
        return cls(endpoints={endpoint: place}, roles=Roles(**dict.fromkeys(CHATTING, part)), allow_shared=True)

    def assigned(self) -> dict[str, RoleModel]:
        """Every role that is filled, with its model."""
        return {role: part for role, part in self.roles if part is not None}

    def identity(self, role: str) -> tuple[str, str]:
        """Name of the model that plays a role, and the address where it is served: together they are the model."""
        part = self.assigned()[role]
        return part.model, self.endpoints[part.endpoint].base_url.rstrip("/")

    def shared(self) -> list[tuple[str, str]]:
        """Pairs of roles that should be apart, and are one model."""
        playing = self.assigned()
        return [
            (a, b) for a, b in MUST_DIFFER if a in playing and b in playing and self.identity(a) == self.identity(b)
        ]

    def shared_roles(self) -> dict[str, list[str]]:
        """Names of models that play several roles, `base` aside: their rows say `independent: false`."""
        roles: dict[str, list[str]] = {}
        for role, part in self.assigned().items():
            if role != "base":
                roles.setdefault(part.model, []).append(role)
        return {model: played for model, played in roles.items() if len(played) > 1}

    @property
    def simulated(self) -> bool:
        """Whether any model is simulated."""
        return any(self.endpoints[part.endpoint].simulated for part in self.assigned().values())
