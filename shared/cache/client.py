"""The connection to Valkey, and retries while it is unavailable."""

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
MAX_BACKOFF_S = 5.0
UNAVAILABLE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.OutOfMemoryError, OSError)


def connect(access: ValkeyAccess) -> Redis:
    """Build a client, which connects at the first command.

    Raises Refusal for an invalid URL, for two passwords, and for certificates that cannot be read.
    """
    try:
        options: dict[str, Any] = {**parse_url(access.url)}
    except ValueError:
        raise Refusal(
            "CHIMERA_VALKEY is not a valid Valkey URL", "Write redis://host:port/0, or rediss:// for TLS"
        ) from None
    if access.password:
        if "password" in options:
            raise Refusal("Valkey's password is set both in the URL and separately", "Remove it from CHIMERA_VALKEY")
        options["password"] = access.password.get_secret_value()
    if access.ca:
        Tls(access.ca).context()  # fail at the start, not at the first command
        options["ssl_ca_certs"] = str(access.ca)
    pool = BlockingConnectionPool(
        **options, max_connections=CONNECTIONS, timeout=None, socket_timeout=10, socket_connect_timeout=5
    )
    return Redis.from_pool(pool)


async def retry_while_unavailable(command: Callable[[], Awaitable[T]]) -> T:
    """Run a command. While Valkey is unavailable, wait and retry without limit.

    A waiting event keeps its slot, so intake pauses and no attempt is consumed.
    """
    wait = 0.1
    while True:
        try:
            return await command()
        except exceptions.AuthenticationError as error:
            log.warning("valkey: authentication failed, retrying: %s", error)
        except UNAVAILABLE as error:
            log.warning("valkey is unavailable, retrying: %s: %s", type(error).__name__, error)
        await asyncio.sleep(wait)
        wait = min(2 * wait, MAX_BACKOFF_S)
