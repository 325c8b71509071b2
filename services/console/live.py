"""The funnel as the log has it, followed in the background while the console runs."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing

from shared.config.connections import KafkaAccess
from shared.dataset.reports.funnel import FOLLOWED, Funnel
from shared.errors import Refusal, Transient
from shared.kafka.clients import KafkaError
from shared.kafka.dlq.replay import DeadLetter, list_dead_letters
from shared.kafka.read.tail import tail

log = logging.getLogger(__name__)

RETRY_S = 5.0
PATIENCE_S = 20.0
"""How long Kafka may take to list dead letters, in seconds."""

Find = Callable[[], KafkaAccess | None]
"""Where Kafka is now; `None` while nothing runs."""


class Live:
    """The funnel, or in `why` the reason that there is none."""

    def __init__(self, find: Find, factory: str) -> None:
        self._find = find
        self._factory = factory
        self.funnel: Funnel | None = None
        self.why: str | None = "the log is being read"

    async def follow(self) -> None:
        """Read the log until cancelled; from its start again whenever Kafka comes back."""
        while True:
            try:
                kafka = self._find()
                if kafka is None:
                    self._lose("no factory runs here")
                else:
                    await self._follow(kafka)
            except (KafkaError, OSError, Refusal, Transient) as error:
                self._lose(f"Kafka does not answer: {error or type(error).__name__}")
            await asyncio.sleep(RETRY_S)

    async def _follow(self, kafka: KafkaAccess) -> None:
        """Until Kafka is stopped, or has moved."""
        funnel, checked_at = Funnel(), time.monotonic()
        async with aclosing(tail(kafka, self._factory, [event.type for event in FOLLOWED])) as events:
            async for event in events:
                if event:
                    funnel.add(event)
                    continue
                self.funnel, self.why = funnel, None
                if time.monotonic() - checked_at > RETRY_S:
                    checked_at = time.monotonic()
                    if self._find() != kafka:
                        return

    def _lose(self, why: str) -> None:
        if why != self.why:
            log.info("%s", why)
        self.funnel, self.why = None, why

    async def letters(self) -> list[DeadLetter]:
        """Every dead letter. Raises Refusal when no factory runs, Transient when Kafka does not answer."""
        kafka = self._find()
        if kafka is None:
            raise Refusal("no factory runs here, and dead letters are on its log", "Start it with `chimera up`")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await list_dead_letters(kafka, self._factory)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient(f"Kafka does not answer: {error or type(error).__name__}") from error
