"""The connection to Valkey, and retries while it is unavailable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

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
    url, sentinels = _split_sentinels(access.url)
    try:
        options: dict[str, Any] = {**parse_url(url)}
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
    options |= {"max_connections": CONNECTIONS, "timeout": None, "socket_timeout": 10, "socket_connect_timeout": 5}
    if not sentinels:
        return Redis.from_pool(BlockingConnectionPool(**options))
    is_secure = options.pop("connection_class", None) is SSLConnection
    primary, tls = options.pop("host"), {"ssl": True, "ssl_ca_certs": options.get("ssl_ca_certs")} if is_secure else {}
    timeouts = {"socket_timeout": 5, "socket_connect_timeout": 5}
    manager = Sentinel(sentinels, sentinel_kwargs={**timeouts, **tls})  # type: ignore[no-untyped-call]
    return Redis.from_pool(_PrimaryPool(primary, manager, ssl=is_secure, **options))  # type: ignore[no-untyped-call]


class _PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """Waits for a free connection; each goes to the server that the sentinels name."""

    async def aclose(self) -> None:
        """Close also the connections to the sentinels."""
        await super().aclose()
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()


def _split_sentinels(url: str) -> tuple[str, list[tuple[str, int]]]:
    """Return the URL with the primary's name as its host, and the sentinels: none for the URL of a server."""
    scheme, _, rest = url.partition("://")
    if not scheme.endswith("+sentinel"):
        return url, []
    credentials, _, place = rest.rpartition("@")
    hosts, _, path = place.partition("/")
    try:
        sentinels = [(host, int(port)) for host, _, port in (one.rpartition(":") for one in hosts.split(","))]
        name, _, database = path.partition("/")
    except ValueError:
        sentinels, name, database = [], "", ""
    if not name or not all(host for host, _ in sentinels):
        raise Refusal(
            "CHIMERA_VALKEY does not name sentinels and their primary",
            "Write redis+sentinel://host:port,host:port/NAME/0, or rediss+sentinel:// for TLS",
        )
    at = f"{credentials}@" if credentials else ""
    return f"{scheme.removesuffix('+sentinel')}://{at}{name}/{database or 0}", sentinels


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
