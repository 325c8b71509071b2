"""Reads settings from the environment, and reports wrong variables by name."""

import difflib
import os
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from shared.errors import Refusal

PREFIX = "CHIMERA_"
S = TypeVar("S", bound=BaseSettings)


def read(kind: type[S]) -> S:
    """Read settings. Raises Refusal that names every wrong variable, without its value."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", PREFIX)
        faults = [
            f"{prefix}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise Refusal("; ".join(faults), ".env.example explains every variable") from None


def unknown_variables(kind: type[BaseSettings]) -> list[str]:
    """List variables with our prefix that are not settings of this kind, each with the closest setting."""
    settings = [f"{PREFIX}{name.upper()}" for name in kind.model_fields]
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in settings)  # noqa: TID251 - names
    return [f"{name} is not a setting here{_closest(name, settings)}" for name in unknown]


def _closest(name: str, settings: list[str]) -> str:
    close = difflib.get_close_matches(name, settings, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}?" if close else ""
