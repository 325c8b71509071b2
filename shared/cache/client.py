"""The connection to Valkey, and patience while it is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url

from shared.config.connections import Tls, ValkeyAccess
from shared.errors import Refusal

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECTIONS = 8
LONGEST_WAIT_S = 5.0
UNAVAILABLE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.OutOfMemoryError, OSError)


def connect(access: ValkeyAccess) -> Redis:
    """Build a client. It connects at the first command. Raises Refusal when access cannot be meant so."""
    try:
        options: dict[str, Any] = {**parse_url(access.url)}
    except ValueError:
        raise Refusal("CHIMERA_VALKEY is no URL of Valkey", "Write redis://host:port/0, or rediss:// for TLS") from None
    if access.password:
        if "password" in options:
            raise Refusal("Valkey's password is given twice, in its URL and apart", "Remove it from CHIMERA_VALKEY")
        options["password"] = access.password.get_secret_value()
    if access.ca:
        Tls(access.ca).context()  # said at the start, not at the first command
        options["ssl_ca_certs"] = str(access.ca)
    pool = BlockingConnectionPool(
        **options, max_connections=CONNECTIONS, timeout=None, socket_timeout=10, socket_connect_timeout=5
    )
    return Redis.from_pool(pool)


async def retry_while_away(command: Callable[[], Awaitable[T]]) -> T:
    """Run a command; while Valkey is away, wait and try again for as long as it takes.

    Whoever waits here keeps its slot, so intake pauses by itself and no event is blamed.
    """
    wait = 0.1
    while True:
        try:
            return await command()
        except exceptions.AuthenticationError as error:
            log.warning("valkey refuses our password, waiting for another: %s", error)
        except UNAVAILABLE as error:
            log.warning("valkey is away, waiting: %s: %s", type(error).__name__, error)
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_S)
