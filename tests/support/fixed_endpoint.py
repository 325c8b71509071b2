"""An endpoint that answers with fixed bytes, and the pieces of its replies."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel, Roles

USAGE = {"prompt_tokens": 5, "completion_tokens": 7}
TEXT = "So \\boxed{42}"


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


GOOD = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": TEXT}),
    chunk({}, "stop"),
    {"model": "m", "choices": [], "usage": USAGE},
]


def sse(*events: Any, end: str = "\n\n", done: bool = True) -> bytes:
    text = "".join((one if isinstance(one, str) else "data: " + json.dumps(one)) + end for one in events)
    return (text + ("data: [DONE]" + end if done else "")).encode()


def http(body: bytes, kind: str = "text/event-stream", status: str = "200 OK", extra: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def as_json(value: Any, status: str = "200 OK") -> bytes:
    return http(json.dumps(value).encode(), "application/json", status)


def replied(text: str) -> bytes:
    return http(sse(chunk({"content": text}), chunk({}, "stop")))


@asynccontextmanager
async def endpoint(reply: bytes | Callable[[Any], bytes], models: bytes = b"") -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("get"):
            writer.write(models)
        else:
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:"))
            body = json.loads(await reader.readexactly(length))
            writer.write(reply(body) if callable(reply) else reply)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def config(url: str, **role: Any) -> ModelsConfig:
    one = RoleModel(model="m", **role)
    roles = Roles(writer=one, verifier_a=one, verifier_b=one, solver=one)
    place = Endpoint(base_url=url, first_token_s=3, idle_s=3, call_s=5)
    return ModelsConfig(endpoints={"default": place}, roles=roles, allow_shared=True)
