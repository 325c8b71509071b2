"""Free TCP ports on the loopback interface, the same ones at every start where that is possible."""

import secrets
import socket
from collections.abc import Mapping

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"
_LOW, _HIGH = 20_000, 32_000
"""Below the range the kernel uses for outgoing connections, so that none is lost between choice and use."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out one port per name: last time's where it is still free, another otherwise."""

    def __init__(self, last_time: Mapping[str, int]) -> None:
        self._last_time = last_time
        self.taken: dict[str, int] = {}

    def take(self, name: str) -> int:
        """Return the port of `name`, the same one however often it is asked for."""
        if name not in self.taken:
            self.taken[name] = self._choose(self._last_time.get(name))
        return self.taken[name]

    def _choose(self, preferred: int | None) -> int:
        """Random, so that two stacks that start together do not meet."""
        for _ in range(1_000):
            port = preferred or _LOW + secrets.randbelow(_HIGH - _LOW)
            if port not in self.taken.values() and is_free(port):
                return port
            preferred = None
        raise StackError(
            f"no free port found on {LOOPBACK} between {_LOW} and {_HIGH}", "stop what holds them (ss -ltnp lists it)"
        )
