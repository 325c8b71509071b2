"""Commands of many tasks in one trip to Valkey.

A process has many events in flight, and each asks Valkey a few times. What is asked for while others are under way
travels as one pipeline: the client's own cost, most of it per trip, is shared.
"""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

QueueCommands = Callable[[Pipeline], object]
"""Queues one command or several on a pipeline."""

MAX_IN_FLIGHT = 2
"""Trips under way at once. What is asked for meanwhile gathers for the next one."""


class AutoPipeline:
    """A client that gathers commands. Each task's own commands keep their order; it waits for them."""

    def __init__(self, valkey: Redis) -> None:
        self._valkey = valkey
        self._waiting: list[tuple[QueueCommands, asyncio.Future[list[Any]]]] = []
        self._trips: set[asyncio.Task[None]] = set()

    async def execute(self, ask: QueueCommands) -> list[Any]:
        """Send what `ask` queues. Returns the answers in order; raises what the client raises."""
        answers: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answers))
        if len(self._trips) < MAX_IN_FLIGHT:
            trip = asyncio.create_task(self._flush())
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)
        return await answers

    async def _flush(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                said = await self._send([ask for ask, _ in asked])
            except Exception as error:  # noqa: BLE001 - each task gets it
                said = [error] * len(asked)
            for (_, answers), found in zip(asked, said, strict=True):
                _resolve(answers, found)

    async def _send(self, asked: list[QueueCommands]) -> list[list[Any] | Exception]:
        ends = [0]
        async with self._valkey.pipeline(transaction=False) as pipe:
            for ask in asked:
                ask(pipe)
                ends.append(len(pipe.command_stack))
            said = await pipe.execute(raise_on_error=False)
        return [_first_error(said[start:end]) or said[start:end] for start, end in pairwise(ends)]


def _first_error(answers: list[Any]) -> Exception | None:
    return next((answer for answer in answers if isinstance(answer, Exception)), None)


def _resolve(answers: asyncio.Future[list[Any]], found: list[Any] | Exception) -> None:
    """A task that was cancelled meanwhile needs no answer."""
    if answers.done():
        return
    if isinstance(found, Exception):
        answers.set_exception(found)
    else:
        answers.set_result(found)
