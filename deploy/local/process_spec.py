"""The description of a service to run."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

UTF_8 = {"LC_ALL": "C.UTF-8"}
"""For servers: Java takes the encoding of file names from the locale, which is ASCII under `LANG=C`."""

INHERITED = (
    *("PATH", "HOME", "USER", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*"),
    *("PYTHON*", "LD_LIBRARY_PATH", "DYLD_*", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""Patterns of variables that every process of a stack gets. Keys and passwords are not among them."""


def inherited_environment(*patterns: str) -> dict[str, str]:
    """Return the variables of this process that match INHERITED or one of the patterns."""
    wanted = (*INHERITED, *patterns)
    return {name: value for name, value in os.environ.items() if any(fnmatchcase(name, one) for one in wanted)}  # noqa: TID251 - passed on


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A service and how many instances of it to run; they are named `name`, `name-2`, `name-3` …"""

    name: str
    module: str = ""
    """Module for `python -m`; by default `services.<name>`."""
    argv: Sequence[str] = ()
    """A whole command line, in place of a module."""
    env: Mapping[str, str] = field(default_factory=dict)
    inherits: Sequence[str] = ()
    """Patterns of variables that it gets from the environment of the stack, beside INHERITED."""
    replicas: int = 1
    grace_s: float = 30.0
    has_health: bool = True
    """Whether it answers `/readyz` on the port in CHIMERA_HEALTH_PORT."""

    def instances(self) -> list[str]:
        return [self.name if number == 1 else f"{self.name}-{number}" for number in range(1, self.replicas + 1)]

    @property
    def main(self) -> str:
        """The module to run, "" for a whole command line."""
        return "" if self.argv else self.module or f"services.{self.name}"

    @property
    def command_line(self) -> Sequence[str]:
        # -P: do not import a folder `services` in the working directory
        return self.argv or (sys.executable, "-P", "-m", self.main)
