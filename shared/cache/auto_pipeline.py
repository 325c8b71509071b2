"""Sends commands of many tasks to Valkey in one round trip.

A process has many events in flight, and each needs a few commands. Commands that arrive while a round trip is in flight
wait and go out together as one pipeline. Most of the client's cost is per round trip, so the tasks share it.
"""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

QueueCommands = Callable[[Pipeline], object]
"""Queues one or several commands on a pipeline."""

MAX_IN_FLIGHT = 2
"""Round trips in flight. Further commands wait for the next one."""


class AutoPipeline:
    """Collects commands of concurrent tasks. The commands of one task keep their order."""

    def __init__(self, valkey: Redis) -> None:
        self._valkey = valkey
        self._waiting: list[tuple[QueueCommands, asyncio.Future[list[Any]]]] = []
        self._deferred: list[QueueCommands] = []
        self._trips: set[asyncio.Task[None]] = set()

    def defer(self, queue: QueueCommands) -> None:
        """Send commands ahead of those of the next trip. They are sent again until Valkey has executed them."""
        self._deferred.append(queue)

    async def flush(self) -> None:
        """Send the deferred commands. Raises what the client raises."""
        while self._deferred:
            await self.execute(lambda _: None)

    async def execute(self, queue: QueueCommands) -> list[Any]:
        """Send what `queue` puts on the pipeline. Returns the replies in order; raises what the client raises."""
        replies: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((queue, replies))
        if len(self._trips) < MAX_IN_FLIGHT:
            trip = asyncio.create_task(self._flush())
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)
        return await replies

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            deferred, self._deferred = self._deferred, []
            try:
                results = await self._send([*deferred, *(queue for queue, _ in batch)])
            except Exception as error:  # noqa: BLE001 - each task gets it
                results = [error] * (len(deferred) + len(batch))
            failed = [queue for queue, result in zip(deferred, results, strict=False) if isinstance(result, Exception)]
            self._deferred = failed + self._deferred
            for (_, replies), result in zip(batch, results[len(deferred) :], strict=True):
                _resolve(replies, result)

    async def _send(self, batch: list[QueueCommands]) -> list[list[Any] | Exception]:
        ends = [0]
        async with self._valkey.pipeline(transaction=False) as pipe:
            for queue in batch:
                queue(pipe)
                ends.append(len(pipe.command_stack))
            replies = await pipe.execute(raise_on_error=False)
        return [_first_error(replies[start:end]) or replies[start:end] for start, end in pairwise(ends)]


def _first_error(replies: list[Any]) -> Exception | None:
    return next((reply for reply in replies if isinstance(reply, Exception)), None)


def _resolve(replies: asyncio.Future[list[Any]], result: list[Any] | Exception) -> None:
    """Complete a task's future, unless the task was cancelled."""
    if replies.done():
        return
    if isinstance(result, Exception):
        replies.set_exception(result)
    else:
        replies.set_result(result)
