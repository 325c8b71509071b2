"""Reads settings from the environment, reports wrong variables by name, and lists them for `--help`."""

import argparse
import difflib
import inspect
import os
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from schemas.codegen.settings_source import Setting, environment_value, own_settings
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


def parse_arguments(kind: type[BaseSettings]) -> None:
    """Accept no argument but `--help`, which prints the variables of a service with these settings; both exit."""
    service = kind.__module__.rpartition(".")[0]
    argparse.ArgumentParser(
        prog=f"python -m {service}",
        description=f"{(sys.modules[service].__doc__ or '').partition(chr(10))[0]}\n\n{_list_variables(kind)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()


def _list_variables(kind: type[BaseSettings]) -> str:
    """Settings of this kind as variables, each with its default and explanation; its own ones first."""
    settings: dict[str, Setting] = {}
    for path in dict.fromkeys(Path(inspect.getfile(base)) for base in kind.__mro__[: kind.__mro__.index(BaseSettings)]):
        for one in own_settings(path):
            known = settings.setdefault(one.name, one)
            settings[one.name] = replace(known, explanation=known.explanation or one.explanation)
    prefix = kind.model_config.get("env_prefix", PREFIX)
    lines = ["Settings are variables of the environment:"]
    for one in settings.values():
        if one.name in kind.model_fields:
            lines += [f"  {prefix}{one.name.upper()}={environment_value(one)}"]
            lines += textwrap.wrap(one.explanation, 112, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def unknown_variables(kind: type[BaseSettings]) -> list[str]:
    """List variables with our prefix that are not settings of this kind, each with the closest setting."""
    settings = [f"{PREFIX}{name.upper()}" for name in kind.model_fields]
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in settings)  # noqa: TID251 - names
    return [f"{name} is not a setting here{_closest(name, settings)}" for name in unknown]


def _closest(name: str, settings: list[str]) -> str:
    close = difflib.get_close_matches(name, settings, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}?" if close else ""
