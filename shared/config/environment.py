"""The environment as settings, and what is wrong with it, by the names that a person typed."""

import difflib
import os
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from shared.errors import Refusal

PREFIX = "CHIMERA_"
S = TypeVar("S", bound=BaseSettings)


def read(kind: type[S]) -> S:
    """Settings of a kind. Raises Refusal that names every variable with a wrong value; never the value."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", PREFIX)
        wrong = [
            f"{prefix}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise Refusal("; ".join(wrong), ".env.example explains every variable") from None


def unknown_variables(kind: type[BaseSettings]) -> list[str]:
    """Name the variables that begin like ours and are no setting of this kind, each with the nearest that is."""
    known = [f"{PREFIX}{name.upper()}" for name in kind.model_fields]
    ours = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)  # noqa: TID251 - names
    return [f"{name} is no setting here{_nearest(name, known)}" for name in ours]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f"; {near[0]} is" if near else ""
