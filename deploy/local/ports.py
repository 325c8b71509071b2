"""Free TCP ports on the loopback interface."""

import errno
import secrets
import socket
from collections.abc import Iterator

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"
_LOW, _HIGH = 20_000, 32_000
"""Below the range the kernel uses for outgoing connections, so that none is lost between choice and use."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_ports() -> Iterator[int]:
    """Yield free ports, none twice. Random, so that two stacks that start together do not meet."""
    given: set[int] = set()
    for _ in range(10_000):
        port = _LOW + secrets.randbelow(_HIGH - _LOW)
        if port not in given and is_free(port):
            given.add(port)
            yield port
    raise StackError(
        f"no free port between {_LOW} and {_HIGH} on {LOOPBACK}", "stop what holds them (`ss -ltnp` shows it)"
    )
