"""Reads the models file and the keys that it points to. No key is ever in a file of ours, a log or an error."""

import os
from pathlib import Path

import yaml
from pydantic import SecretStr, ValidationError

from schemas.cast import Cast, Part, Place
from shared.errors import Refusal


def load_cast(path: Path) -> Cast:
    """Read a JSON or YAML file. Raises Refusal when there is none, or when it does not say who plays what."""
    try:
        return Cast.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise Refusal(f"cannot read the models file {path}", "Write one, or set CHIMERA_MODELS") from error
    except yaml.YAMLError as error:
        raise Refusal(f"{path} is neither JSON nor YAML: {error}", "Correct the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise Refusal(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}", "Correct the file") from error


def part_of(cast: Cast, role: str) -> Part:
    """The model of a role. Raises Refusal when the role is open."""
    try:
        return cast.playing()[role]
    except KeyError:
        raise Refusal(f"no model plays the role {role}", f"Add {role} to the models file") from None


def key_of(name: str, place: Place) -> SecretStr | None:
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
        value = os.environ.get(place.key_env, "")  # noqa: TID251 - the name is a setting; nothing else reads keys
        if not value:
            raise Refusal(f"the key of endpoint {name} is missing", f"Set the environment variable {place.key_env}")
        return SecretStr(value)
    return None
