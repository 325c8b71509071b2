"""One OpenAI-compatible endpoint over HTTP: chat completions as a stream of chunks, and the list of models.

Whatever goes wrong on the way is Transient, also a wrong key or an unknown model: that is a fault of the
configuration, not of the record, and must not cost an item. Messages name the endpoint by its alias, never the key.
Proxies of the environment are not used.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from shared.errors import Transient

CONNECT_S = 10.0
NO_LIMIT = httpx.Limits(max_connections=0)
"""aiohttp's 0 is "no limit" (None would be 100): how much is in flight is the runtime's decision."""


class Endpoint:
    """One client, to be shared by everything in the process that speaks to this address with this key."""

    def __init__(self, alias: str, base_url: str, key: SecretStr | None = None) -> None:
        self.alias = alias
        self._key = key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=headers, transport=AiohttpTransport(limits=NO_LIMIT), follow_redirects=False
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def models(self, timeout_s: float) -> list[str]:
        """Names of the models served. Raises Transient."""
        with self._attributed():
            response = await self._http.get("/models", timeout=timeout_s)
            self._check(response.status_code, response.content)
            return [str(model["id"]) for model in _object(response.content).get("data", [])]

    async def chat(self, body: dict[str, Any], idle_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Post a chat completion and yield its chunks; one whole answer is one chunk. Raises Transient.

        `idle_s`: longest silence between two reads, in seconds.
        """
        timeout = httpx.Timeout(None, connect=CONNECT_S, read=idle_s)
        with self._attributed():
            async with self._http.stream("POST", "/chat/completions", json=body, timeout=timeout) as response:
                streamed = response.headers.get("content-type", "").startswith("text/event-stream")
                if response.status_code != httpx.codes.OK or not streamed:
                    content = await response.aread()
                    self._check(response.status_code, content)
                    yield self._chunk(content)
                    return
                async for data in _server_sent(response):
                    yield self._chunk(data)

    def _chunk(self, data: bytes) -> dict[str, Any]:
        self._check(httpx.codes.OK, data)
        return _object(data)

    def _check(self, status: int, content: bytes) -> None:
        """Raise Transient for an error status, and for an error that came with status 200."""
        if status == httpx.codes.OK and b'"error"' not in content:
            return
        try:
            error = _object(content).get("error")
        except ValueError:
            error = None
        if status == httpx.codes.OK and not error:
            return
        message = error.get("message") if isinstance(error, dict) else error
        text = str(message or content.decode(errors="replace"))
        raise Transient(f"endpoint {self.alias} answers {status}: {self._redacted(text)[:300]}")

    def _redacted(self, message: str) -> str:
        secret = self._key.get_secret_value() if self._key else ""
        return message.replace(secret, "***") if secret else message

    @contextmanager
    def _attributed(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            # A TimeoutError is an OSError. No chaining: the cause's own text is not redacted.
            kind = type(error).__name__
            raise Transient(f"endpoint {self.alias}: {kind}: {self._redacted(str(error))}") from None
        except ValueError as error:
            raise Transient(f"endpoint {self.alias} does not speak JSON: {error}") from None


async def _server_sent(response: httpx.Response) -> AsyncIterator[bytes]:
    """The data of each event. Split on line feeds alone: `aiter_lines` also splits on U+2028, which JSON may hold."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                yield data


def _object(data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
