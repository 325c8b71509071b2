"""Free TCP ports on the loopback interface, the same ones at every start where that is possible."""

import secrets
import socket
from collections.abc import Mapping

from shared.errors import Refusal

LOOPBACK = "127.0.0.1"
_LOW, _HIGH = 20_000, 32_000
"""Below the range that the kernel uses for outgoing connections, so that it takes no chosen port."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class Ports:
    """Assigns one port per name: the port of the last run if it is free, otherwise another one."""

    def __init__(self, previous: Mapping[str, int]) -> None:
        self._previous = previous
        self.taken: dict[str, int] = {}

    def take(self, name: str) -> int:
        """Return the port of `name`; every call returns the same one."""
        if name not in self.taken:
            self.taken[name] = self._choose(self._previous.get(name))
        return self.taken[name]

    def _choose(self, preferred: int | None) -> int:
        """Choose at random, so that two stacks that start together do not collide."""
        for _ in range(1_000):
            port = preferred or _LOW + secrets.randbelow(_HIGH - _LOW)
            if port not in self.taken.values() and is_free(port):
                return port
            preferred = None
        raise Refusal(
            f"no free port found on {LOOPBACK} between {_LOW} and {_HIGH}",
            "Stop the processes that use them (`ss -ltnp` lists them)",
        )
