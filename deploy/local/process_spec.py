"""The description of a service to run."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

UTF_8 = {"LC_ALL": "C.UTF-8"}
"""For servers: Java takes the encoding of file names from the locale, which is ASCII under `LANG=C`."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A service and how many instances of it to run; they are named `name`, `name-2`, `name-3` …"""

    name: str
    module: str = ""
    """Module for `python -m`; by default `services.<name>`."""
    argv: Sequence[str] = ()
    """A whole command line, in place of a module."""
    env: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1
    grace_s: float = 30.0
    has_health: bool = True
    """Whether it answers `/readyz` on the port in CHIMERA_HEALTH_PORT."""

    def instances(self) -> list[str]:
        return [self.name if number == 1 else f"{self.name}-{number}" for number in range(1, self.replicas + 1)]

    @property
    def command_line(self) -> Sequence[str]:
        # -P: do not import a folder `services` in the working directory
        return self.argv or (sys.executable, "-P", "-m", self.module or f"services.{self.name}")
