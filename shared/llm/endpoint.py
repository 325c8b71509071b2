"""One OpenAI-compatible endpoint over HTTP: chat completions as a stream of chunks, and the list of models.

Errors: errors.py. A wrong key or an unknown model is Busy too: that is a fault of the configuration, not of the record,
and must not cost an item. Messages name the endpoint by its alias, never the key. Proxies of the environment are not
used.
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
"""aiohttp's 0 is "no limit" (None would be 100): how much is in flight is the gate's decision."""
WHOLE_LIMIT = 16 * 1024 * 1024
"""Bytes of one chunk, or of an answer in one piece."""

_RETRYABLE = {401, 402, 403, 404, 408, 425, 429, 502, 503, 504, 529}
_PERMANENT = {400, 413, 414, 422}
_FORM_WORDS = ("response_format", "json_schema", "structured", "guided")


class EndpointClient:
    """One client, to be shared by everything in the process that speaks to this address with this key."""

    def __init__(self, alias: str, place: Endpoint, key: SecretStr | None = None) -> None:
        self.alias = alias
        self.place = place
        self._key = key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        verify: ssl.SSLContext | bool = Tls(place.ca).context() if place.ca else True
        self._chat, self._models, self._embeddings = (
            httpx.URL(f"{place.base_url.rstrip('/')}/{path}") for path in ("chat/completions", "models", "embeddings")
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
        """Names of the models served. Raises as `chat` does."""
        with self._attributed():
            response = await self._http.get(self._models, timeout=timeout_s)
            self._check(response.status_code, response.headers, response.content)
            return [str(model["id"]) for model in _object(response.content).get("data", [])]

    async def embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        """Vectors of texts, within the time that a first token may take. Raises as `chat` does."""
        timeout = httpx.Timeout(self.place.first_token_s, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._embeddings, json=body, timeout=timeout) as response:
                [content] = [content async for content in _whole(response)]
                self._check(response.status_code, response.headers, content)
                return _object(content)

    async def metrics(self, timeout_s: float) -> str:
        """What the server tells of itself, beside /v1 on the same host. Raises as `chat` does."""
        url = self.place.base_url.rstrip("/").removesuffix("/v1") + "/metrics"
        with self._attributed():
            async with self._http.stream("GET", url, timeout=timeout_s) as response:
                [content] = [content async for content in _whole(response)]
                self._check(response.status_code, response.headers, content)
                return content.decode(errors="replace")

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Post a chat completion and yield its chunks; one whole answer is one chunk.

        Raises Busy, Transient, Invalid or Unformed. How long it may take is for the caller to say.
        """
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        with self._attributed():
            async with self._http.stream("POST", self._chat, json=body, timeout=timeout) as response:
                streamed = response.headers.get("content-type", "").startswith("text/event-stream")
                whole = response.status_code != httpx.codes.OK or not streamed
                async for data in _whole(response) if whole else _server_sent(response):
                    self._check(response.status_code, response.headers, data)
                    yield _object(data)

    def _check(self, status: int, headers: httpx.Headers, content: bytes) -> None:
        """Raise for an error status, and for an error that came with status 200."""
        if status == httpx.codes.OK and b'"error"' not in content:
            return
        error = _error(content)
        if status == httpx.codes.OK:
            if not error:
                return
            status = _code(error) or status
        message = error.get("message") if isinstance(error, dict) else error
        text = self._redacted(str(message or content[:1000].decode(errors="replace")))[:300]
        said = f"endpoint {self.alias} answers {status}: {text}"
        if status in _RETRYABLE:
            raise Busy(said, _retry_after_s(headers.get("retry-after")))
        if status in _PERMANENT and any(word in text for word in _FORM_WORDS):
            raise UnsupportedSchema(said)
        if status in _PERMANENT:
            raise Invalid(said)
        raise Transient(said)

    def _redacted(self, message: str) -> str:
        secret = self._key.get_secret_value() if self._key else ""
        return message.replace(secret, "***") if secret else message

    @contextmanager
    def _attributed(self) -> Iterator[None]:
        """No chaining: the cause's own text is not redacted."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Busy(f"endpoint {self.alias}: {type(error).__name__}: {self._redacted(str(error))}") from None
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            kind = type(error).__name__
            raise Transient(f"endpoint {self.alias}: {kind}: {self._redacted(str(error))}") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.alias} does not speak JSON: {error}") from None


async def _whole(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body, in one. Raises ValueError when it is too long to be an answer."""
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > WHOLE_LIMIT:
            raise ValueError(f"more than {WHOLE_LIMIT} bytes in one piece")
    yield content


async def _server_sent(response: httpx.Response) -> AsyncIterator[bytes]:
    """The data of each event. Split on line feeds alone: `aiter_lines` also splits on U+2028, which JSON may hold."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > WHOLE_LIMIT:
            raise ValueError(f"more than {WHOLE_LIMIT} bytes in one piece")
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
    """The `error` of a body, if it has one."""
    try:
        return _object(content).get("error")
    except ValueError:
        return None


def _code(error: Any) -> int | None:
    """The HTTP status that an error names in its body."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and code >= 400 else None


def _retry_after_s(retry_after: str | None) -> float | None:
    """Retry-After in seconds (RFC 9110 also knows dates: they are left alone)."""
    try:
        return max(float(retry_after), 0.0) if retry_after else None
    except ValueError:
        return None
