"""Loads the models file, and the API keys that it refers to. No log line and no error shows a key."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel
from shared.config.file_loader import FileKind, Finding, did_you_mean
from shared.errors import Refusal


def load_models_config(path: Path) -> ModelsConfig:
    """Load a YAML or JSON file. Its relative paths are relative to its folder.

    Raises Refusal with one line per mistake, also when two roles that check each other have the same model.
    """
    config = MODELS.read(path)
    folder = path.parent.resolve()
    endpoints = {name: resolve_paths(endpoint, folder) for name, endpoint in config.endpoints.items()}
    prompts = config.prompts and folder / config.prompts
    return config.model_copy(update={"endpoints": endpoints, "prompts": prompts})


def resolve_paths(endpoint: Endpoint, folder: Path) -> Endpoint:
    """Make the endpoint's paths absolute; relative ones start at the folder of its file."""
    files = {"key_file": endpoint.key_file, "ca": endpoint.ca}
    return endpoint.model_copy(update={name: folder / file for name, file in files.items() if file})


def _unknown_endpoints(data: dict[str, Any]) -> Iterator[Finding]:
    """Check the rule of the schema again, to report its line."""
    endpoints, roles = data.get("endpoints"), data.get("roles")
    if not isinstance(endpoints, dict) or not isinstance(roles, dict):
        return
    names = [str(name) for name in endpoints]
    for role, part in roles.items():
        name = part.get("endpoint", "default") if isinstance(part, dict) else None
        if isinstance(name, str) and name not in names:
            hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
            yield ("roles", str(role), "endpoint"), f"no endpoint {name!r}{hint}"


def _shared_roles(config: ModelsConfig) -> Iterator[Finding]:
    for first, second in () if config.allow_shared else config.shared():
        model, address = config.identity(first)
        why = f"the same model as {first} ({model} at {address}), and its verdict on its own work is worth less"
        yield ("roles", second), f"{why}: give it another model, or write `allow_shared: true` into the file"


MODELS = FileKind(
    ModelsConfig,
    "models file",
    "a mapping with endpoints and roles",
    "--models, or in CHIMERA_MODELS",
    _unknown_endpoints,
    _shared_roles,
)


def role_model(config: ModelsConfig, role: str) -> RoleModel:
    """The model of a role. Raises Refusal when the role has none."""
    try:
        return config.assigned()[role]
    except KeyError:
        raise Refusal(f"the role {role} has no model", f"Add {role} to the models file") from None


def api_key(name: str, endpoint: Endpoint) -> SecretStr | None:
    """Read the key of an endpoint. Raises Refusal when its file or variable has none."""
    if endpoint.key_file is not None:
        try:
            value = endpoint.key_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        if not value:
            raise Refusal(f"the key of endpoint {name} is missing", f"Write it into {endpoint.key_file}")
        return SecretStr(value)
    if endpoint.key_env is not None:
        value = os.environ.get(endpoint.key_env, "").strip()  # noqa: TID251 - the name is a setting; nothing else reads keys
        if not value:
            raise Refusal(f"the key of endpoint {name} is missing", f"Set the environment variable {endpoint.key_env}")
        return SecretStr(value)
    return None
