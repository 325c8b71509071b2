"""One OpenAI-compatible endpoint over HTTP: chat completions as a stream of chunks, and the list of models.

errors.py lists the errors. A wrong key or an unknown model is also Busy: the configuration is at fault, not the record,
so no item may be lost. Messages name the endpoint by its alias and never show the key; text of the endpoint in them is
one printable line. Proxies of the environment are used only where
the configuration says so.
"""

import math
import ssl
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
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
NO_LIMIT = httpx.Limits(max_connections=0)
"""0 is "no limit" in aiohttp (None would be 100). The concurrency limiter decides what is in flight."""

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
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        if key and base.query:
            headers["api-key"] = key.get_secret_value()  # Azure with a version takes the key here
        verify: ssl.SSLContext | bool = Tls(config.ca).context() if config.ca else True
        self._chat, self._models, self._embeddings = (
            base.copy_with(path=f"{base.path.rstrip('/')}/{path}")
            for path in ("chat/completions", "models", "embeddings")
        )
        self._http = httpx.AsyncClient(
            headers=headers,
            transport=AiohttpTransport(
                limits=NO_LIMIT, verify=verify, proxy=environment_proxy(base) if config.proxy else None
            ),
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def models(self, timeout_s: float) -> dict[str, str | None]:
        """List the models served, with their weights where these are reported. Raises as `chat` does."""
        with self._attributed():
            async with self._http.stream("GET", self._models, timeout=timeout_s) as response:
                return parse_models(self._checked(response, await _body(response)))

    async def embeddings(self, body: dict[str, Any]) -> Any:
        """Request vectors of texts, within `first_token_s`. Raises as `chat` does."""
        timeout = httpx.Timeout(self.config.first_token_s, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._embeddings, json=body, timeout=timeout) as response:
                return self._checked(response, await _body(response))

    async def metrics(self, timeout_s: float) -> str:
        """Read the server's Prometheus metrics, at /metrics beside /v1. Raises as `chat` does."""
        base = httpx.URL(self.config.base_url)
        url = base.copy_with(path=base.path.rstrip("/").removesuffix("/v1") + "/metrics")
        with self._attributed():
            async with self._http.stream("GET", url, timeout=timeout_s) as response:
                content = await _body(response)
                if response.status_code != httpx.codes.OK:
                    raise self._error(response, content)
                return content.decode(errors="replace")

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Post a chat completion and yield its chunks; an answer that is not streamed is one chunk.

        Raises Busy, Transient, Invalid, Declined or UnsupportedSchema. Sets no time limit: the caller does.
        """
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._chat, json=body, timeout=timeout) as response:
                if not response.is_success:
                    raise self._error(response, await _body(response))
                async with aclosing(read_events(response.aiter_bytes())) as events:
                    async for event in events:
                        if event.name == b"error":
                            raise self._error(response, event.data)
                        if event.data.strip() != b"[DONE]":
                            yield parse_chunk(self._checked(response, event.data))

    def _checked(self, response: httpx.Response, content: bytes) -> Any:
        """Parse JSON. Raises for an error status, and for an error inside a reply with status 200."""
        if not response.is_success:
            raise self._error(response, content)
        value = decode(content)
        if b'"error' in content and parse_error(value):
            raise self._error(response, content)
        return value

    def _error(self, response: httpx.Response, content: bytes) -> Exception:
        """Convert an error reply into an exception."""
        try:
            error = parse_error(decode(content))
        except ValueError:
            error = None
        error = error or WireError(content[:MAX_MESSAGE].decode(errors="replace"))
        status = response.status_code
        if response.is_success and error.status:
            status = error.status
        text = self.quoted(error.message)
        if error.parameter and error.parameter not in text:
            text += self.quoted(f" ({error.code}: {error.parameter})")
        report = f"endpoint {self.alias} answers {status}: {text}"
        if status == httpx.codes.FORBIDDEN and error.fault == "refused":
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
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            message = f"endpoint {self.alias}: {self.quoted(explain_unreachable(error, self._models.netloc.decode()))}"
            raise (Transient if time.monotonic() - started > 2 * CONNECT_S else Busy)(message) from None
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            kind = type(error).__name__
            raise Transient(f"endpoint {self.alias}: {kind}: {self.quoted(str(error))}") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.alias} sends an invalid reply: {self.quoted(str(error))}") from None


def environment_proxy(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy for an address by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in capitals or not."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return httpx.Proxy(proxy) if proxy and not proxy_bypass(url.netloc.decode()) else None


async def _body(response: httpx.Response) -> bytes:
    """Read the complete body. Raises ValueError when it is too long."""
    content = bytearray()
    async for piece in response.aiter_bytes():
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
