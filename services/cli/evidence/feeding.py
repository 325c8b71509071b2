"""Publishes problems, a number at a time, and waits for their ends, which the dataset shows.

Nothing is stored here: a problem that has ended is in the dataset, and one that is published again is the same event,
which every service recognises. So a command that was killed is run again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shared.config.connections import KafkaAccess
from shared.errors import OverBudget
from shared.kafka.clients import Producer
from shared.kafka.codec import Message
from shared.kafka.dlq.replay import DeadLetter, list_dead_letters

POLL_S = 1.0
LETTERS_EVERY_S = 5.0
"""How often dead letters are read while nothing ends."""


FindEnded = Callable[[Iterable[str]], dict[str, Any]]
"""ids → the ends of those that have ended."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent: the id under which it ends, and the record."""

    id: str
    message: Message


@dataclass
class FeedState:
    """How many problems have ended, are parked or in flight."""

    total: int
    ended: dict[str, Any] = field(default_factory=dict)
    parked: dict[str, DeadLetter] = field(default_factory=dict)
    in_flight: set[str] = field(default_factory=set)
    over_budget: bool = False
    """Whether a problem was parked because the budget allows no further call."""

    @property
    def done(self) -> int:
        return len(self.ended) + len(self.parked)

    @property
    def left(self) -> int:
        return self.total - self.done

    def outcome(self, *, is_done: bool) -> str:
        """Return how a command ended: done, budget (it allows no further call), or interrupted."""
        return "budget" if self.over_budget else "done" if is_done else "interrupted"


async def feed(
    kafka: KafkaAccess,
    factory: str,
    problems: Iterator[Outgoing],
    state: FeedState,
    limit: int,
    find_ended: FindEnded,
    on_progress: Callable[[FeedState], None],
) -> None:
    """Publish all problems, at most `limit` in flight, and wait until each has ended or is parked.

    When the budget allows no further call, publish no more.
    """
    producer = Producer(kafka, factory)
    await producer.start()
    changed_at = time.monotonic()
    try:
        while True:
            room = 0 if state.over_budget else limit - len(state.in_flight)
            batch: Sequence[Outgoing] = await asyncio.to_thread(list, islice(problems, room))
            await producer.publish(one.message for one in batch)
            state.in_flight |= {one.id for one in batch}
            on_progress(state)
            if not state.in_flight:
                return
            await asyncio.sleep(POLL_S)
            ended = await asyncio.to_thread(find_ended, state.in_flight)
            if ended:
                changed_at = time.monotonic()
            elif time.monotonic() - changed_at > LETTERS_EVERY_S:
                changed_at = time.monotonic()
                await _find_parked(kafka, factory, state)
            state.ended |= ended
            state.in_flight -= ended.keys()
    finally:
        await producer.stop()


async def _find_parked(kafka: KafkaAccess, factory: str, state: FeedState) -> None:
    for letter in await list_dead_letters(kafka, factory):
        key = (letter.key or b"").decode(errors="replace")
        if not letter.settled and key in state.in_flight:
            state.parked[key] = letter
            state.in_flight.discard(key)
            state.over_budget |= letter.error == OverBudget.__name__
