"""Waits until services report that they are ready."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import httpx

from deploy.local.ports import LOOPBACK

_POLL_S = 0.1


async def until(ready: Callable[[], Awaitable[bool]], timeout_s: float) -> bool:
    """Poll until `ready` returns True; returns False after `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await ready():  # noqa: ASYNC110 - another process: there is no event to wait for
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return False
    return True


async def unready(
    ports: Mapping[str, int], timeout_s: float, on_ready: Callable[[str], None] = lambda _name: None
) -> list[str]:
    """Poll `/readyz` of every named port until it answers 200, then call `on_ready` with the name.

    Returns the names that are not ready after `timeout_s`.
    """
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:

        async def ready(port: int) -> bool:
            try:
                return (await client.get(f"http://{LOOPBACK}:{port}/readyz")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        async def wait(name: str, port: int) -> bool:
            if ok := await until(partial(ready, port), timeout_s):
                on_ready(name)
            return ok

        answers = await asyncio.gather(*(wait(name, port) for name, port in ports.items()))
    return [name for name, ok in zip(ports, answers, strict=True) if not ok]
