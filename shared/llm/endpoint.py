"""One OpenAI-compatible endpoint over HTTP: chat completions as a stream of chunks, and the list of models.

errors.py lists the errors. A wrong key or an unknown model is also Busy: the configuration is at fault, not the record,
so no item may be lost. Messages name the endpoint by its alias and never show the key; text of the endpoint in them is
one printable line. Proxies of the environment are used only where
the configuration says so.

Of libraries: aiohttp sends the requests; httpx over aiohttp costs three times its CPU time. httpx joins addresses, and
its trusted certificates are the default.
"""

import json
import math
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from pydantic import SecretStr

from schemas.config.models_config import Endpoint
from shared.clock import utc_now
from shared.config.connections import Tls
from shared.errors import Invalid, Transient
from shared.llm.errors import Busy, Declined, UnsupportedSchema, explain_unreachable
from shared.llm.replies.sse import MAX_EVENT_BYTES, read_events
from shared.llm.replies.wire import Chunk, decode, parse_chunk, parse_models
from shared.llm.replies.wire_error import MAX_MESSAGE, WireError, parse_error
from shared.llm.sanitize import one_line

CONNECT_S = 10.0
MAX_RETRY_AFTER_S = 600.0
"""Longest wait that a server can request."""
MAX_QUOTED = 500
"""Characters of the endpoint's text in a message."""
KEEP_ALIVE_S = 5.0
"""Life of an idle connection. vLLM's server closes one after the same time."""

_JSON = {"Content-Type": "application/json"}
_RETRYABLE = {301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407, 408, 410, 425, 429, 502, 503, 504, 529}
"""A redirection means another base_url: the configuration is at fault."""
_PERMANENT = {400, 413, 414, 422, 451}
_FAULT_OF_STATUS = {413: "too_long", 414: "too_long", 451: "refused"}
_SCHEMA_WORDS = ("response_format", "response_schema", "json_schema", "json schema", "structured", "guided", "grammar")


class EndpointClient:
    """The HTTP client of one address with one key. Everything in the process shares it."""

    def __init__(self, alias: str, config: Endpoint, key: SecretStr | None = None) -> None:
        self.alias = alias
        self.config = config
        self._key = key
        base = httpx.URL(config.base_url)
        self._headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        if key and base.query:
            self._headers["api-key"] = key.get_secret_value()  # Azure with a version takes the key here
        self._address = base.netloc.decode()
        self._chat, self._models, self._embeddings = (
            str(base.copy_with(path=f"{base.path.rstrip('/')}/{path}"))
            for path in ("chat/completions", "models", "embeddings")
        )
        self._metrics = str(base.copy_with(path=base.path.rstrip("/").removesuffix("/v1") + "/metrics"))
        self._tls = Tls(config.ca).context() if config.ca else httpx.create_ssl_context()
        self._proxy = environment_proxy(base) if config.proxy else None
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session:
            await self._session.close()

    def _request(
        self, url: str, timeout: aiohttp.ClientTimeout, body: dict[str, Any] | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request, a POST if it has a body. Follows no redirection."""
        if self._session is None:  # it needs the running event loop
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls, keepalive_timeout=KEEP_ALIVE_S)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        proxy = self._proxy
        return self._session.request(
            "GET" if body is None else "POST",
            url,
            data=None if body is None else _encode(body),
            headers=None if body is None else _JSON,
            timeout=timeout,
            allow_redirects=False,
            proxy=str(proxy.url) if proxy else None,
            proxy_auth=aiohttp.BasicAuth(*proxy.auth) if proxy and proxy.auth else None,
        )

    async def models(self, timeout_s: float) -> dict[str, str | None]:
        """List the models served, with their weights where these are reported. Raises as `chat` does."""
        with self._attributed():
            async with self._request(self._models, _timeout(timeout_s)) as response:
                return parse_models(self._checked(response, await _body(response)))

    async def embeddings(self, body: dict[str, Any]) -> Any:
        """Request vectors of texts, within `first_token_s`. Raises as `chat` does."""
        timeout = _timeout(self.config.first_token_s, CONNECT_S)
        with self._attributed():
            async with self._request(self._embeddings, timeout, body) as response:
                return self._checked(response, await _body(response))

    async def metrics(self, timeout_s: float) -> str:
        """Read the server's Prometheus metrics, at /metrics beside /v1. Raises as `chat` does."""
        with self._attributed():
            async with self._request(self._metrics, _timeout(timeout_s)) as response:
                content = await _body(response)
                if response.status != HTTPStatus.OK:
                    raise self._error(response, content)
                return content.decode(errors="replace")

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Post a chat completion and yield its chunks; an answer that is not streamed is one chunk.

        Raises Busy, Transient, Invalid, Declined or UnsupportedSchema. Sets no time limit: the caller does.
        """
        with self._attributed():
            async with self._request(self._chat, _timeout(None, CONNECT_S), body) as response:
                if not _is_success(response):
                    raise self._error(response, await _body(response))
                async with aclosing(read_events(response.content.iter_any())) as events:
                    async for event in events:
                        if event.name == b"error":
                            raise self._error(response, event.data)
                        if event.data.strip() != b"[DONE]":
                            yield parse_chunk(self._checked(response, event.data))

    def _checked(self, response: aiohttp.ClientResponse, content: bytes) -> Any:
        """Parse JSON. Raises for an error status, and for an error inside a reply with status 200."""
        if not _is_success(response):
            raise self._error(response, content)
        value = decode(content)
        if b'"error' in content and parse_error(value):
            raise self._error(response, content)
        return value

    def _error(self, response: aiohttp.ClientResponse, content: bytes) -> Exception:
        """Convert an error reply into an exception."""
        try:
            error = parse_error(decode(content))
        except ValueError:
            error = None
        error = error or WireError(content[:MAX_MESSAGE].decode(errors="replace"))
        status = response.status
        if _is_success(response) and error.status:
            status = error.status
        text = self.quoted(error.message)
        if error.parameter and error.parameter not in text:
            text += self.quoted(f" ({error.code}: {error.parameter})")
        report = f"endpoint {self.alias} answers {status}: {text}"
        if status == HTTPStatus.FORBIDDEN and error.fault == "refused":
            return Declined(report, error.fault)  # xAI and OpenRouter
        if status in _RETRYABLE:
            return Busy(report, _retry_after_s(response.headers.get("retry-after")))
        if status in _PERMANENT and any(word in text.lower() for word in _SCHEMA_WORDS):
            return UnsupportedSchema(report)
        if status in _PERMANENT and (fault := error.fault or _FAULT_OF_STATUS.get(status)):
            return Declined(report, fault)
        return Invalid(report) if status in _PERMANENT else Transient(report)

    def quoted(self, message: str) -> str:
        """The endpoint's text for logs and terminals: short, on one line, printable, without the key."""
        secret = self._key.get_secret_value() if self._key else ""
        return one_line((message.replace(secret, "***") if secret else message)[:MAX_QUOTED])

    @contextmanager
    def _attributed(self) -> Iterator[None]:
        """Convert errors of the transport. Drops the cause, whose text may hold the key.

        A connection that ends before the reply is Busy only at the start: later, the call may have been paid.
        """
        started = time.monotonic()
        try:
            yield
        except aiohttp.SocketTimeoutError as error:
            raise self._broken(error) from None
        except aiohttp.ClientConnectionError as error:
            message = f"endpoint {self.alias}: {self.quoted(explain_unreachable(error, self._address))}"
            raise (Transient if time.monotonic() - started > 2 * CONNECT_S else Busy)(message) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None
        except ValueError as error:
            raise Transient(f"endpoint {self.alias} sends an invalid reply: {self.quoted(str(error))}") from None

    def _broken(self, error: Exception) -> Transient:
        return Transient(f"endpoint {self.alias}: {type(error).__name__}: {self.quoted(str(error))}")


def environment_proxy(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy for an address by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in capitals or not."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return httpx.Proxy(proxy) if proxy and not proxy_bypass(url.netloc.decode()) else None


def _timeout(silence_s: float | None, connect_s: float | None = None) -> aiohttp.ClientTimeout:
    """Longest silence, and longest wait for a connection, which is as long by default."""
    return aiohttp.ClientTimeout(connect=silence_s, sock_connect=connect_s or silence_s, sock_read=silence_s)


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _is_success(response: aiohttp.ClientResponse) -> bool:
    return response.status // 100 == 2


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the complete body. Raises ValueError when it is too long."""
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_EVENT_BYTES:
            raise ValueError(f"more than {MAX_EVENT_BYTES} bytes in one message")
    return bytes(content)


def _retry_after_s(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110), within a limit."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - utc_now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if not math.isnan(seconds) else None
