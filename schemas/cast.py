"""The models file: which model plays which role, where it is served, how it is sampled, what it costs.

A lab writes it as YAML or JSON. No key stands in it, only where one is found.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^@\s?#]+$")]
"""No user, no query: an address is logged, so it holds no secret."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Price(_Part):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    """Thinking counts as output."""


class Place(_Part):
    """An OpenAI-compatible endpoint."""

    base_url: BaseUrl
    """Address up to and including /v1."""
    key_env: str | None = None
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


class Part(_Part):
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


ROLES = ("writer", "verifier_a", "verifier_b", "solver", "judge", "base")


class Roles(_Part):
    """Who plays what. `judge` and `base` may stay open while nothing asks for them."""

    writer: Part
    """Makes topics and problems."""
    verifier_a: Part
    verifier_b: Part
    solver: Part
    """Writes the long solutions."""
    judge: Part | None = None
    """Compares answers that no rule can compare."""
    base: Part | None = None
    """The model that will be trained: tells how hard a problem is."""


class Cast(_Part):
    """All models of a factory."""

    endpoints: dict[str, Place] = Field(min_length=1)
    roles: Roles

    @model_validator(mode="after")
    def _endpoints_are_there(self) -> Self:
        for role, part in self.playing().items():
            if part.endpoint not in self.endpoints:
                names = ", ".join(self.endpoints)
                raise ValueError(f"role {role}: no endpoint {part.endpoint!r}; there are {names}")
        return self

    @classmethod
    def one(cls, place: Place, model: str, endpoint: str = "default") -> Self:
        """One model for all roles. Its verdicts on its own work are worth less; every row names the model."""
        part = Part(endpoint=endpoint, model=model)
        return cls(endpoints={endpoint: place}, roles=Roles(**dict.fromkeys(ROLES, part)))

    def playing(self) -> dict[str, Part]:
        """Every role that is filled, with its model."""
        return {role: part for role, part in self.roles if part is not None}

    @property
    def simulated(self) -> bool:
        """Whether any model is simulated."""
        return any(self.endpoints[part.endpoint].simulated for part in self.playing().values())
