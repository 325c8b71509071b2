"""Kafka clients, with the settings that the delivery guarantees need. Faust builds its own in faust/app.py."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from schemas.flow import BY_TYPE, EVENT_LIMIT
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.codec import TRACEPARENT, Message
from shared.kafka.connection import client_options, explain_refusal, translate_denials
from shared.kafka.consume.group_consumer import FETCH_WAIT_MS, GroupConsumer
from shared.kafka.names import kafka_topic
from shared.kafka.partitions import fixed_partition
from shared.telemetry import traces

__all__ = [
    "RECORD_LIMIT",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "KafkaConnectionError",
    "KafkaError",
    "Producer",
    "TopicPartition",
    "create_group_consumer",
    "knows_coordinator",
    "leave_group",
    "open_admin",
    "open_reader",
    "poll",
]

log = logging.getLogger(__name__)

RECORD_LIMIT = EVENT_LIMIT + 4 * 1024 * 1024
"""Largest record in bytes: an event, or a dead letter, which has more headers."""

LEAVE_TIMEOUT_S = 10.0
START_TIMEOUT_S = 1.0
"""Longest wait for a start that was cancelled."""

METADATA_AGE_MS = 60_000
"""Time after which a group's member looks for partitions that were added."""


async def _start(client: AIOKafkaConsumer | AIOKafkaAdminClient) -> None:
    """Start a client. A cancelled start ends first, if it soon does: aiokafka would leave its connection open."""
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=START_TIMEOUT_S)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise


@asynccontextmanager
async def open_reader(access: KafkaAccess) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, for assigned partitions; stopped at the end, also of a start that was cancelled."""
    reader = AIOKafkaConsumer(
        **client_options(access),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=RECORD_LIMIT,
        fetch_max_wait_ms=100,
    )
    try:
        await _start(reader)
        yield reader
    finally:
        await reader.stop()


def create_group_consumer(
    access: KafkaAccess,
    group: str,
    session_s: float = 45,
    assignor: type = RoundRobinPartitionAssignor,
    max_poll_interval_s: float = 300,
    client_id: str | None = None,
) -> GroupConsumer:
    """Create a member of a group. It commits by hand, and fails when the group has no offset."""
    return GroupConsumer(
        **client_options(access),
        group_id=group,
        client_id=client_id or group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=int(session_s * 1000),
        heartbeat_interval_ms=min(3_000, int(session_s * 1000 / 3)),
        max_poll_interval_ms=int(max_poll_interval_s * 1000),
        rebalance_timeout_ms=60_000,
        metadata_max_age_ms=METADATA_AGE_MS,
        max_partition_fetch_bytes=RECORD_LIMIT,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        partition_assignment_strategy=[assignor],
    )


async def poll(
    consumer: AIOKafkaConsumer,
    stopping: asyncio.Event,
    *partitions: TopicPartition,
    timeout_ms: int,
    max_records: int | None = None,
    start_added: Callable[[TopicPartition], Awaitable[bool]],
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """`getmany`, cancelled when `stopping` is set: during a rebalance it waits for the other members without limit.

    It is cancelled only then: a cancelled `getmany` disables the client's poll timeout.
    Calls `start_added` for a partition in which the group has no offset. Raises Refusal when that returns False, or the
    offset is outside the log.
    """
    records = asyncio.create_task(consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([records, stop], return_when=asyncio.FIRST_COMPLETED)
        return await records if records.done() else {}
    except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
        if isinstance(error, NoOffsetForPartitionError) and await start_added(*error.args):
            return {}
        raise Refusal(
            f"A consumer group has no valid offset ({type(error).__name__}: {error})",
            "Nothing was consumed. `chimera check kafka` names the group, and the command that gives it offsets again",
        ) from error
    finally:
        stop.cancel()
        records.cancel()


def knows_coordinator(consumer: AIOKafkaConsumer) -> bool:
    """Whether a started member of a group is in contact with the group's coordinator."""
    return consumer._coordinator is not None and consumer._coordinator.coordinator_id is not None


async def leave_group(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close. Stops waiting after LEAVE_TIMEOUT_S: a rebalance or a lost broker may block it."""
    try:
        async with asyncio.timeout(LEAVE_TIMEOUT_S):
            await consumer.stop()
    except TimeoutError:
        log.warning("could not leave the group in time; its partitions are reassigned when the session expires")


@asynccontextmanager
async def open_admin(access: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect for administration. Raises as `Producer.start`."""
    admin = AIOKafkaAdminClient(**client_options(access))
    try:
        try:
            await _start(admin)
        except KafkaConnectionError as error:
            raise await explain_refusal(access, error) from None
        yield admin
    finally:
        await admin.close()


class Producer:
    """Publishes messages of one factory."""

    def __init__(self, access: KafkaAccess, factory: str) -> None:
        self._access = access
        self._factory = factory
        self._kafka = AIOKafkaProducer(
            **client_options(access),
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            linger_ms=0,  # messages that arrive while a request is in flight still travel together
            max_request_size=RECORD_LIMIT,
        )

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError while no broker answers, Refusal when a retry would not help."""
        with translate_denials(self._access):
            try:
                await self._kafka.start()
            except KafkaConnectionError as error:
                reason = await explain_refusal(self._access, error)
                if isinstance(reason, Refusal):  # no caller retries
                    await self._kafka.stop()
                raise reason from None
            except KafkaError:
                await self._kafka.stop()
                raise

    async def stop(self) -> None:
        """Flush and close."""
        await self._kafka.stop()

    async def publish(self, messages: Iterable[Message]) -> None:
        """Send messages. Returns when the broker has acknowledged all of them."""
        messages = list(messages)
        acks = [
            await self._kafka.send(
                kafka_topic(self._factory, message.name),
                message.value,
                message.key,
                fixed_partition(message.name, message.key),
                headers=message.headers,
            )
            for message in messages
        ]
        for ack in acks:
            await ack
        traced = ((one.name, dict(one.headers).get(TRACEPARENT, b"")) for one in messages if one.name in BY_TYPE)
        traces.record_sent(traced)
