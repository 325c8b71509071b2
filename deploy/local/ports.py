"""Free TCP ports on the loopback interface, the same ones at every start where that is possible.

A server binds its port seconds after it was chosen. Until then the UDP port of the same number, which no server here
uses, marks the choice for other stacks; the kernel releases it with the process.
"""

import secrets
import socket
import weakref
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
    """Assigns one port per name: the port of the last run if it is free, otherwise another one.

    The ports stay reserved until `release()`, or as long as the object lives.
    """

    def __init__(self, previous: Mapping[str, int]) -> None:
        self._previous = previous
        self._marks: list[weakref.finalize[[], Ports]] = []
        self.taken: dict[str, int] = {}

    def take(self, name: str) -> int:
        """Return the port of `name`; every call returns the same one."""
        if name not in self.taken:
            self.taken[name] = self._choose(self._previous.get(name))
        return self.taken[name]

    def release(self) -> None:
        """Let other stacks choose these ports."""
        for close in self._marks:
            close()
        self._marks.clear()

    def _choose(self, preferred: int | None) -> int:
        """Choose at random, so that two stacks that start together do not collide."""
        for _ in range(1_000):
            port = preferred or _LOW + secrets.randbelow(_HIGH - _LOW)
            if is_free(port) and self._reserve(port):
                return port
            preferred = None
        raise Refusal(
            f"no free port found on {LOOPBACK} between {_LOW} and {_HIGH}",
            "Stop the processes that use them (`ss -ltnp` lists them)",
        )

    def _reserve(self, port: int) -> bool:
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((LOOPBACK, port))
        except OSError:
            mark.close()
            return False
        self._marks.append(weakref.finalize(self, mark.close))
        return True
