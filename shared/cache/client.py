"""The connection to Valkey, and patience while it is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECTIONS = 8
LONGEST_WAIT_S = 5.0
AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.OutOfMemoryError, OSError)


def connect(url: str) -> Redis:
    """Build a client. It connects at the first command."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=CONNECTIONS, timeout=None, socket_timeout=10, socket_connect_timeout=5
    )
    return Redis.from_pool(pool)


async def patiently(command: Callable[[], Awaitable[T]]) -> T:
    """Run a command; while Valkey is away, wait and try again for as long as it takes.

    Whoever waits here keeps its slot, so intake pauses by itself and no event is blamed.
    """
    wait = 0.1
    while True:
        try:
            return await command()
        except AWAY as error:
            log.warning("valkey is away, waiting: %s: %s", type(error).__name__, error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
