"""Concurrent tasks until the first ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of the first that ends; cancel the others."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
