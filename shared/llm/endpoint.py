"""One OpenAI-compatible endpoint over HTTP: chat completions as a stream of chunks, and the list of models.

errors.py lists the errors. A wrong key or an unknown model is also Busy: the configuration is at fault, not the record,
so no item may be lost. Messages name the endpoint by its alias and never show the key. Proxy variables of the
environment are ignored.
"""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from schemas.config.models_config import Endpoint
from shared.config.connections import Tls
from shared.errors import Invalid, Transient
from shared.llm.errors import Busy, UnsupportedSchema

CONNECT_S = 10.0
NO_LIMIT = httpx.Limits(max_connections=0)
"""0 is "no limit" in aiohttp (None would be 100). The concurrency limiter decides what is in flight."""
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Largest chunk, or answer that is not streamed."""

_RETRYABLE = {401, 402, 403, 404, 408, 425, 429, 502, 503, 504, 529}
_PERMANENT = {400, 413, 414, 422}
_SCHEMA_WORDS = ("response_format", "json_schema", "structured", "guided")


class EndpointClient:
    """The HTTP client of one address with one key. Everything in the process shares it."""

    def __init__(self, alias: str, config: Endpoint, key: SecretStr | None = None) -> None:
        self.alias = alias
        self.config = config
        self._key = key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        verify: ssl.SSLContext | bool = Tls(config.ca).context() if config.ca else True
        self._chat, self._models, self._embeddings = (
            httpx.URL(f"{config.base_url.rstrip('/')}/{path}") for path in ("chat/completions", "models", "embeddings")
        )
        self._http = httpx.AsyncClient(
            headers=headers,
            transport=AiohttpTransport(limits=NO_LIMIT, verify=verify),
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def models(self, timeout_s: float) -> list[str]:
        """List the names of the models served. Raises as `chat` does."""
        with self._attributed():
            response = await self._http.get(self._models, timeout=timeout_s)
            self._check(response.status_code, response.headers, response.content)
            return [str(model["id"]) for model in _object(response.content).get("data", [])]

    async def embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        """Request vectors of texts, within `first_token_s`. Raises as `chat` does."""
        timeout = httpx.Timeout(self.config.first_token_s, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._embeddings, json=body, timeout=timeout) as response:
                [content] = [content async for content in _body(response)]
                self._check(response.status_code, response.headers, content)
                return _object(content)

    async def metrics(self, timeout_s: float) -> str:
        """Read the server's Prometheus metrics, at /metrics beside /v1. Raises as `chat` does."""
        url = self.config.base_url.rstrip("/").removesuffix("/v1") + "/metrics"
        with self._attributed():
            async with self._http.stream("GET", url, timeout=timeout_s) as response:
                [content] = [content async for content in _body(response)]
                self._check(response.status_code, response.headers, content)
                return content.decode(errors="replace")

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Post a chat completion and yield its chunks; an answer that is not streamed is one chunk.

        Raises Busy, Transient, Invalid or UnsupportedSchema. Sets no time limit: the caller does.
        """
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._chat, json=body, timeout=timeout) as response:
                streamed = response.headers.get("content-type", "").startswith("text/event-stream")
                streamed = streamed and response.status_code == httpx.codes.OK
                async for data in _server_sent(response) if streamed else _body(response):
                    self._check(response.status_code, response.headers, data)
                    yield _object(data)

    def _check(self, status: int, headers: httpx.Headers, content: bytes) -> None:
        """Raise for an error status, and for an error inside a reply with status 200."""
        if status == httpx.codes.OK and b'"error"' not in content:
            return
        error = _error(content)
        if status == httpx.codes.OK:
            if not error:
                return
            status = _code(error) or status
        message = error.get("message") if isinstance(error, dict) else error
        text = self._redacted(str(message or content[:1000].decode(errors="replace")))[:300]
        report = f"endpoint {self.alias} answers {status}: {text}"
        if status in _RETRYABLE:
            raise Busy(report, _retry_after_s(headers.get("retry-after")))
        if status in _PERMANENT and any(word in text for word in _SCHEMA_WORDS):
            raise UnsupportedSchema(report)
        if status in _PERMANENT:
            raise Invalid(report)
        raise Transient(report)

    def _redacted(self, message: str) -> str:
        secret = self._key.get_secret_value() if self._key else ""
        return message.replace(secret, "***") if secret else message

    @contextmanager
    def _attributed(self) -> Iterator[None]:
        """Convert errors of the transport. Drops the cause, whose text may hold the key."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Busy(f"endpoint {self.alias}: {type(error).__name__}: {self._redacted(str(error))}") from None
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            kind = type(error).__name__
            raise Transient(f"endpoint {self.alias}: {kind}: {self._redacted(str(error))}") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.alias} does not answer with valid JSON: {error}") from None


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the complete body. Raises ValueError when it is too long."""
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_MESSAGE_BYTES:
            raise ValueError(f"more than {MAX_MESSAGE_BYTES} bytes in one message")
    yield content


async def _server_sent(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the data of each event. Splits on line feeds only: `aiter_lines` also splits on U+2028, valid in JSON."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_MESSAGE_BYTES:
            raise ValueError(f"more than {MAX_MESSAGE_BYTES} bytes in one message")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                yield data


def _object(data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _error(content: bytes) -> Any:
    """The `error` field of a body; `None` without one."""
    try:
        return _object(content).get("error")
    except ValueError:
        return None


def _code(error: Any) -> int | None:
    """The HTTP status inside an error body."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and code >= 400 else None


def _retry_after_s(retry_after: str | None) -> float | None:
    """Retry-After in seconds. A date (RFC 9110) is ignored."""
    try:
        return max(float(retry_after), 0.0) if retry_after else None
    except ValueError:
        return None
