"""What a caller says about a service it wants to run."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A service to run, `replicas` times. Instances are called `name`, `name-2`, `name-3` …"""

    name: str
    module: str = ""
    """What `python -m` runs; empty: `services.<name>`."""
    argv: Sequence[str] = ()
    """The whole command instead, for what is not a module."""
    env: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1
    grace_s: float = 30.0
    has_health: bool = True
    """Whether it answers `/readyz` on the port in CHIMERA_HEALTH_PORT."""

    def instances(self) -> list[str]:
        return [self.name if number == 1 else f"{self.name}-{number}" for number in range(1, self.replicas + 1)]

    @property
    def command_line(self) -> Sequence[str]:
        # -P: a folder `services` where the user happens to stand is not ours
        return self.argv or (sys.executable, "-P", "-m", self.module or f"services.{self.name}")
