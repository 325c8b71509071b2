"""Reads the models file and the keys that it points to. No key is ever in a file of ours, a log or an error."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel
from shared.config.file_loader import FileKind, Finding, did_you_mean
from shared.errors import Refusal


def load_models_config(path: Path) -> ModelsConfig:
    """The models in a YAML or JSON file; paths in it start from its folder.

    Raises Refusal with one line per mistake, and when roles that check each other are one model.
    """
    cast = MODELS.read(path)
    folder = path.parent.resolve()
    places = {name: resolved(place, folder) for name, place in cast.endpoints.items()}
    return cast.model_copy(update={"endpoints": places})


def resolved(place: Endpoint, folder: Path) -> Endpoint:
    """The endpoint with the paths that it names, which start from the folder of its file."""
    files = {"key_file": place.key_file, "ca": place.ca}
    return place.model_copy(update={name: folder / file for name, file in files.items() if file})


def _unknown_endpoints(data: dict[str, Any]) -> Iterator[Finding]:
    """The rule is the schema's; here it gets its line."""
    endpoints, roles = data.get("endpoints"), data.get("roles")
    if not isinstance(endpoints, dict) or not isinstance(roles, dict):
        return
    names = [str(name) for name in endpoints]
    for role, part in roles.items():
        name = part.get("endpoint", "default") if isinstance(part, dict) else None
        if isinstance(name, str) and name not in names:
            hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
            yield ("roles", str(role), "endpoint"), f"no endpoint {name!r}{hint}"


def _shared_roles(cast: ModelsConfig) -> Iterator[Finding]:
    for first, second in () if cast.allow_shared else cast.shared():
        model, address = cast.identity(first)
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


def role_model(cast: ModelsConfig, role: str) -> RoleModel:
    """The model of a role. Raises Refusal when the role is open."""
    try:
        return cast.assigned()[role]
    except KeyError:
        raise Refusal(f"no model plays the role {role}", f"Add {role} to the models file") from None


def api_key(name: str, place: Endpoint) -> SecretStr | None:
    """The key of an endpoint, read now. Raises Refusal when it is not where the file says."""
    if place.key_file is not None:
        try:
            value = place.key_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        if not value:
            raise Refusal(f"the key of endpoint {name} is missing", f"Write it into {place.key_file}")
        return SecretStr(value)
    if place.key_env is not None:
        value = os.environ.get(place.key_env, "").strip()  # noqa: TID251 - the name is a setting; nothing else reads keys
        if not value:
            raise Refusal(f"the key of endpoint {name} is missing", f"Set the environment variable {place.key_env}")
        return SecretStr(value)
    return None
