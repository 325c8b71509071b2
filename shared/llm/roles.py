"""Which model plays which role. A lab writes it as JSON or YAML, one entry per role:

    {"writer": {"base_url": "https://models.example.org/v1", "model": "large", "api_key_env": "MODELS_KEY"}, …}

The file names the environment variable that holds a key; the key itself is in no file, log or error.
"""

import os
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from shared.errors import Refusal

BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^@\s?#]+$")]
"""No user, no query: an address is logged, so it holds no secret."""


class RoleModel(BaseModel):
    """One model at one endpoint, and how it is sampled. What is `None` is left to the endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint: str = "default"
    """Alias of the endpoint, for lineage and errors."""
    base_url: BaseUrl
    """Address up to and including /v1."""
    model: str
    """Name of the model as served."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer, thinking included."""
    idle_s: float = Field(default=600.0, gt=0)
    """Longest silence in an answer, in seconds; the wait in the server's queue is one."""
    simulated: bool = False
    """True for the simulator: every row made with it says so."""

    @property
    def place(self) -> tuple[str, str, str | None]:
        """What tells one endpoint from another."""
        return self.endpoint, self.base_url, self.api_key_env

    def key(self) -> SecretStr | None:
        """The key, read now. Raises Refusal when its environment variable is unset or empty."""
        if self.api_key_env is None:
            return None
        value = os.environ.get(self.api_key_env)  # noqa: TID251 - the name is a setting; nothing else reads keys
        if not value:
            raise Refusal(
                f"the key of endpoint {self.endpoint} is missing", f"Set the environment variable {self.api_key_env}"
            )
        return SecretStr(value)


class Roles(BaseModel):
    """Who plays what. `judge` and `base` may stay open while nothing asks for them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a JSON or YAML file. Raises Refusal when there is none, or when it does not say who plays what."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except OSError as error:
            raise Refusal(f"cannot read the models file {path}", "Write one, or set CHIMERA_MODELS") from error
        except yaml.YAMLError as error:
            raise Refusal(f"{path} is neither JSON nor YAML: {error}", "Correct the file") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "file"
            raise Refusal(f"{path}: {where}: {first['msg']}", "Correct the file") from error

    @classmethod
    def one(cls, model: RoleModel) -> Self:
        """One model for all roles. Its verdicts on its own work are worth less; every row names the model."""
        return cls.model_validate(dict.fromkeys(cls.model_fields, model))

    def playing(self) -> dict[str, RoleModel]:
        """Every role that is filled, with its model."""
        return {role: model for role, model in self if model is not None}

    def __getitem__(self, role: str) -> RoleModel:
        """The model of a role. Raises Refusal when the role is open."""
        try:
            return self.playing()[role]
        except KeyError:
            raise Refusal(f"no model plays the role {role}", f"Add {role} to the models file") from None
