"""Every Kafka client is made here, with the settings that keep the promises; Faust's own in faust_loop.py."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from schemas.flow import BY_TYPE, EVENT_LIMIT
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.codec import TRACEPARENT, Message
from shared.kafka.connection import authorized, options, why_refused
from shared.kafka.names import kafka_topic
from shared.telemetry import traces

__all__ = [
    "RECORD_LIMIT",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "KafkaConnectionError",
    "KafkaError",
    "Producer",
    "TopicPartition",
    "administrator",
    "leave",
    "member",
    "observer",
    "poll",
]

log = logging.getLogger(__name__)

RECORD_LIMIT = EVENT_LIMIT + 4 * 1024 * 1024
"""Largest record in bytes: an event, or a dead letter that was one and has more headers."""

LEAVE_WITHIN_S = 10.0


def observer(access: KafkaAccess) -> AIOKafkaConsumer:
    """Build a consumer without a group, for reading assigned partitions."""
    return AIOKafkaConsumer(
        **options(access),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=RECORD_LIMIT,
        fetch_max_wait_ms=100,
    )


def member(
    access: KafkaAccess,
    group: str,
    session_s: float = 45,
    assignor: type = RoundRobinPartitionAssignor,
    max_poll_interval_s: float = 300,
) -> AIOKafkaConsumer:
    """Build a group's consumer that commits by hand and never guesses where to begin."""
    return AIOKafkaConsumer(
        **options(access),
        group_id=group,
        client_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=int(session_s * 1000),
        heartbeat_interval_ms=min(3_000, int(session_s * 1000 / 3)),
        max_poll_interval_ms=int(max_poll_interval_s * 1000),
        rebalance_timeout_ms=60_000,
        max_partition_fetch_bytes=RECORD_LIMIT,
        fetch_max_wait_ms=100,
        partition_assignment_strategy=[assignor],
    )


async def poll(
    consumer: AIOKafkaConsumer,
    stopping: asyncio.Event,
    *partitions: TopicPartition,
    timeout_ms: int,
    max_records: int | None = None,
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """`getmany`, given up once `stopping` is set: in a rebalance it waits for the other members, however long.

    It is cancelled then and only then: a cancelled one switches off the client's poll time-out for good.
    Raises Refusal when the group has no offset, or one that the log no longer holds.
    """
    records = asyncio.create_task(consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records))
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([records, told], return_when=asyncio.FIRST_COMPLETED)
        return await records if records.done() else {}
    except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
        raise Refusal(
            f"A consumer group lost its place ({type(error).__name__}: {error})",
            "Nothing was consumed. Restore the group's offsets, so that no event is skipped or paid for again",
        ) from error
    finally:
        told.cancel()
        records.cancel()


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close. A rebalance, or a broker that is away, may hold that up only so long."""
    try:
        async with asyncio.timeout(LEAVE_WITHIN_S):
            await consumer.stop()
    except TimeoutError:
        log.warning("the group was not left in time; its partitions are handed on when the session runs out")


@asynccontextmanager
async def administrator(access: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect for administration. Raises as `Producer.start` does."""
    admin = AIOKafkaAdminClient(**options(access))
    try:
        await admin.start()
    except KafkaConnectionError as error:
        await admin.close()
        raise await why_refused(access, error) from None
    try:
        yield admin
    finally:
        await admin.close()


class Producer:
    """Publishes messages of one factory; returns when the broker has acknowledged all of them."""

    def __init__(self, access: KafkaAccess, factory: str) -> None:
        self._access = access
        self._factory = factory
        self._kafka = AIOKafkaProducer(
            **options(access),
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            linger_ms=2,
            max_request_size=RECORD_LIMIT,
        )

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError while no broker answers, Refusal when waiting would not help."""
        with authorized(self._access):
            try:
                await self._kafka.start()
            except KafkaConnectionError as error:
                reason = await why_refused(self._access, error)
                if isinstance(reason, Refusal):  # nobody will try again
                    await self._kafka.stop()
                raise reason from None
            except KafkaError:
                await self._kafka.stop()
                raise

    async def stop(self) -> None:
        """Flush and close."""
        await self._kafka.stop()

    async def publish(self, messages: Iterable[Message]) -> None:
        """Send, then wait until every message is acknowledged."""
        messages = list(messages)
        acks = [
            await self._kafka.send(
                kafka_topic(self._factory, message.name), message.value, message.key, headers=message.headers
            )
            for message in messages
        ]
        for ack in acks:
            await ack
        traced = ((one.name, dict(one.headers).get(TRACEPARENT, b"")) for one in messages if one.name in BY_TYPE)
        traces.sent(traced)
