"""The models file, in YAML or JSON: the model of each role, where it is served, how it is sampled, what it costs.

It names where an API key is found and never holds one.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from schemas.model import added

_ADDRESS = r"^https?://[^@\s?#]+(\?api-version=[\w.-]+)?$"
_VARIABLE = r"^[A-Z_][A-Z0-9_]*$"


def _address(text: str) -> str:
    if not re.match(_ADDRESS, text):
        raise ValueError("is not an address like http://127.0.0.1:8000/v1, without user or query")
    return text


def _variable(text: str) -> str:
    if not re.match(_VARIABLE, text):
        raise ValueError("is not the name of an environment variable like MY_KEY; the key does not go here")
    return text


BaseUrl = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": _ADDRESS})]
"""An address that is logged, so it must not hold a secret: without user, and without query but for Azure's version."""

Variable = Annotated[str, AfterValidator(_variable), WithJsonSchema({"type": "string", "pattern": _VARIABLE})]
"""Capitals, digits and underscores, so that a key put here by mistake is not accepted as a name and then logged."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, serialize_by_alias=True)


class Price(_Section):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    """For the prompt."""
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
    """Trusted certificates, PEM; by default those of the system."""
    max_concurrency: int = Field(
        default=64,
        ge=1,
        validation_alias=AliasChoices("max_concurrency", "at_once"),
        serialization_alias="at_once",
    )
    """Largest number of calls in flight per process. The limiter adapts to the server below it. `at_once`, the key of
    earlier versions, is read too; files that the factory stores have it."""
    proxy: Literal["env"] | None = added()
    """`env`: use the proxy that the environment variables name; by default none."""
    structured: Literal["auto", "schema", "json_object", "prompt"] = "auto"
    """How to request a structured answer: by `response_format` with a JSON Schema; as any JSON object, with the schema
    in the prompt; by the prompt alone; or by the first of these that the server supports."""
    first_token_s: float = Field(default=600.0, gt=0)
    """Longest wait for the first token, in seconds; the wait in the server's queue is part of it."""
    idle_s: float = Field(default=120.0, gt=0)
    """Longest silence after the first token, in seconds."""
    call_s: float = Field(default=7200.0, gt=0)
    """Longest call, in seconds."""
    simulated: bool = False
    """True for the simulator. Every row made with it is marked as simulated."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key_env and self.key_file:
            raise ValueError("key_env and key_file are both set: remove one of them")
        return self


class RoleModel(_Section):
    """The model of a role. For a parameter that is `None`, the endpoint's default holds."""

    endpoint: str = "default"
    """Name of one of the `endpoints`."""
    model: str
    """Name of the model as served."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling temperature; 0 is greedy."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling: the smallest set of tokens with this probability."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer, thinking included."""
    ceiling: int | None = Field(default=None, ge=1)
    """A truncated answer is requested again with twice the tokens, up to this number; by default never."""
    price: Price | None = None
    """Without it the cost is unknown, not 0."""
    extra: dict[str, Any] = {}
    """Further parameters of the request: top_k, chat_template_kwargs, reasoning_effort, …"""

    def cost(self, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """US dollars for a call; `None` when the price or a count is unknown."""
        if self.price is None or prompt_tokens is None or completion_tokens is None:
            return None
        return (self.price.input * prompt_tokens + self.price.output * completion_tokens) / 1e6


@dataclass(frozen=True, slots=True)
class Role:
    """What other code needs to know about a role. It stands on the role's field in `Roles`, its only declaration."""

    services: tuple[str, ...]
    """Services that call its model, by their names in the flow."""
    tokens: tuple[int, int]
    """Assumed tokens of one call: prompt, and answer with thinking."""
    differs_from: tuple[str, ...] = ()
    """Roles that must be another model: one checks the other's work, or both give evidence on one problem."""
    kind: Literal["chat", "embedding"] = "chat"


class Roles(_Section):
    """The model of each role. Only `writer`, the verifiers and `solver` are needed always."""

    writer: Annotated[RoleModel, Role(("problem_writer", "expansion"), (1_000, 8_000))]
    """Writes topics and problems."""
    verifier_a: Annotated[RoleModel, Role(("verifier-a",), (900, 8_000), ("writer",))]
    """Solves each problem without the key, then judges it."""
    verifier_b: Annotated[RoleModel, Role(("verifier-b",), (900, 8_000), ("writer", "verifier_a"))]
    """The second verifier."""
    solver: Annotated[RoleModel, Role(("synthesis",), (400, 17_000))]
    """Writes the long solutions. A solution has the paper's mean of 11,121 words."""
    judge: Annotated[
        RoleModel | None,
        Role(("screening", "verifier-a", "verifier-b", "probe", "answer_checker"), (600, 500), ("solver",)),
    ] = None
    """Compares answers that no rule can compare."""
    adjudicator: Annotated[
        RoleModel | None,
        Role(("adjudicator",), (1_000, 8_000), ("writer", "verifier_a", "verifier_b")),
    ] = added()
    """Chooses between a key and a rival answer, not knowing which is the key."""
    base: Annotated[RoleModel | None, Role(("probe",), (400, 8_000))] = None
    """The model that will be trained. Measures how hard a problem is."""
    embedder: Annotated[RoleModel | None, Role(("screening",), (200, 0), kind="embedding")] = None
    """Finds paraphrased duplicates; needs an embeddings endpoint."""


ROLES: dict[str, Role] = {
    name: next(role for role in field.metadata if isinstance(role, Role)) for name, field in Roles.model_fields.items()
}
CHAT_ROLES = tuple(name for name, role in ROLES.items() if role.kind == "chat")
MUST_DIFFER = tuple((other, name) for name, role in ROLES.items() for other in role.differs_from)
"""Pairs of roles that must be independent."""


def simulated_model(role: str) -> str:
    """The simulator's model for a role."""
    return f"sim-{role.replace('_', '-')}"


def caller(role: str, service: str) -> str:
    """`Provenance.role` of a service's calls with a role's model: the service, but `judge` for the shared judge."""
    return role if role == "judge" else service


class ModelsConfig(_Section):
    """All models of a factory."""

    endpoints: dict[str, Endpoint] = Field(min_length=1)
    """By alias. Rows, logs and metrics show the alias."""
    roles: Roles
    prompts: Path | None = added()
    """A folder of prompts of one's own, `NAME.md`, each in place of the shipped prompt of that name."""
    allow_shared: bool = False
    """Allow one model in roles that check each other. A model's verdict on its own work is worth less, and every such
    row has `independent: false`."""

    @model_validator(mode="after")
    def _endpoints_exist(self) -> Self:
        for role, model in self.assigned().items():
            if model.endpoint not in self.endpoints:
                names = ", ".join(self.endpoints)
                raise ValueError(f"role {role}: no endpoint {model.endpoint!r}; there are {names}")
        return self

    @classmethod
    def one(cls, endpoint: Endpoint, model: str, alias: str = "default") -> Self:
        """Use one model for all chat roles. Its verdicts on its own work are worth less; every row names the model."""
        role_model = RoleModel(endpoint=alias, model=model)
        roles = Roles(**dict.fromkeys(CHAT_ROLES, role_model))
        return cls(endpoints={alias: endpoint}, roles=roles, allow_shared=True)

    def assigned(self) -> dict[str, RoleModel]:
        """The model of each role that has one."""
        return {role: model for role, model in self.roles if model is not None}

    def identity(self, role: str) -> tuple[str, str]:
        """The name of a role's model and the address where it is served. Equal identities are the same model."""
        model = self.assigned()[role]
        return model.model, self.endpoints[model.endpoint].base_url.rstrip("/")

    def shared(self) -> list[tuple[str, str]]:
        """Pairs of roles that must differ and have the same model."""
        roles = self.assigned()
        return [(a, b) for a, b in MUST_DIFFER if a in roles and b in roles and self.identity(a) == self.identity(b)]

    def shared_roles(self) -> dict[str, list[str]]:
        """Models with several roles, `base` not counted. Their rows have `independent: false`."""
        roles: dict[str, list[str]] = {}
        for role, model in self.assigned().items():
            if role != "base":
                roles.setdefault(model.model, []).append(role)
        return {model: names for model, names in roles.items() if len(names) > 1}

    @property
    def simulated(self) -> bool:
        """Whether any model is simulated."""
        return any(self.endpoints[model.endpoint].simulated for model in self.assigned().values())
