"""The loop of a stateless service: many events in flight, each handled once."""

import asyncio
from contextlib import suppress

from schemas.flow import consumed_by
from shared.cache.idempotency import IdempotencyStore
from shared.config.settings import Settings
from shared.kafka.clients import Producer, create_group_consumer, leave_group
from shared.kafka.consume.added_partitions import AddedPartitions
from shared.kafka.consume.consumer_loop import ConsumerLoop
from shared.kafka.names import group, kafka_topic
from shared.runtime.service import Handler
from shared.runtime.worker import Worker

FLUSH_TIMEOUT_S = 5.0


class StatelessLoop:
    """Consumer loop and worker of one process."""

    def __init__(self, handle: Handler, settings: Settings, producer: Producer, outcomes: IdempotencyStore) -> None:
        self._grace_s = settings.grace_s
        self._outcomes = outcomes
        self._topics = [kafka_topic(settings.factory, flow.name) for flow in consumed_by(settings.service)]
        self._consumer = create_group_consumer(
            settings.kafka_access,
            group(settings.factory, settings.service),
            settings.session_s,
            max_poll_interval_s=settings.poll_s,
        )
        self._worker = Worker(settings, handle, outcomes, producer)
        self._loop = ConsumerLoop(
            self._consumer,
            self._worker,
            start_added=AddedPartitions(self._consumer, settings.kafka_access, settings.factory).start,
            before_commit=outcomes.flush,
            capacity=self._worker.capacity,
            uncommitted=settings.uncommitted,
            drain_s=settings.drain_s,
            idle_s=settings.idle_s,
        )

    def why_not_ready(self) -> str | None:
        return self._loop.why_not_ready() or self._worker.why_stopped()

    def stop(self) -> None:
        self._loop.stop()

    async def run(self) -> None:
        """Work until `stop`, leave the group, then let running events finish and record their outcomes."""
        await self._consumer.start()
        async with self._outcomes.renewing_leases():
            try:
                await self._loop.run(self._topics)
            finally:
                self._worker.stop()
                await asyncio.gather(leave_group(self._consumer), self._loop.finish(self._grace_s))
                with suppress(TimeoutError):  # an event without its marker is published again
                    async with asyncio.timeout(FLUSH_TIMEOUT_S):
                        await self._outcomes.flush()
