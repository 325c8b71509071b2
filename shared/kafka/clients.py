"""Every Kafka client is made here, with the settings that keep the promises; Faust's own in faust_loop.py.

A broker that does not trust us, that we do not trust, or that does not let us read or write, is a Refusal that names
it: aiokafka tells the first two to its log alone, and takes a Kafka topic that it may not see for an empty one.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
    for_code,
)

from schemas.flow import EVENT_LIMIT
from shared.access import KafkaAccess
from shared.errors import Refusal
from shared.kafka.codec import Message
from shared.kafka.names import kafka_topic

__all__ = [
    "RECORD_LIMIT",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "KafkaConnectionError",
    "KafkaError",
    "Producer",
    "TopicPartition",
    "administrator",
    "authorized",
    "for_code",
    "leave",
    "member",
    "observer",
    "poll",
    "visible",
]

log = logging.getLogger(__name__)

RECORD_LIMIT = EVENT_LIMIT + 4 * 1024 * 1024
"""Largest record in bytes: an event, or a dead letter that was one and has more headers."""

LEAVE_WITHIN_S = 10.0


def options(access: KafkaAccess) -> dict[str, Any]:
    """Build what every aiokafka client takes."""
    found: dict[str, Any] = {"bootstrap_servers": access.servers, "security_protocol": access.protocol}
    if access.tls:
        found["ssl_context"] = access.tls.context()
    if login := access.login:
        found["sasl_mechanism"] = login.mechanism
        found["sasl_plain_username"] = login.username
        found["sasl_plain_password"] = login.password.get_secret_value()
    return found


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
        raise await _reason(access, error) from None
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
                reason = await _reason(self._access, error)
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
        acks = [
            await self._kafka.send(
                kafka_topic(self._factory, message.name), message.value, message.key, headers=message.headers
            )
            for message in messages
        ]
        for ack in acks:
            await ack


@contextmanager
def authorized(access: KafkaAccess) -> Iterator[None]:
    """Say plainly what the broker does not let us do: raises Refusal for it."""
    try:
        yield
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise _forbidden(access, _what(error)) from error


def _what(error: KafkaError) -> str:
    if isinstance(error, ClusterAuthorizationFailedError):  # of an idempotent producer that may write nowhere
        return "any topic, or the cluster itself"
    kind = "group" if isinstance(error, GroupAuthorizationFailedError) else "topic"
    return " ".join([kind, *map(str, error.args)])


async def visible(access: KafkaAccess, topics: Iterable[str]) -> None:
    """Refuse to begin when a Kafka topic is missing, or hidden from us."""
    async with administrator(access) as admin:
        for topic in await admin.describe_topics(list(topics)):
            if (error := for_code(topic["error_code"])) is TopicAuthorizationFailedError:
                raise _forbidden(access, f"topic {topic['topic']}")
            if error is UnknownTopicOrPartitionError:
                raise Refusal(
                    f"Kafka topic {topic['topic']} is not there on {access.servers}", "Make it: chimera kafka create"
                )


def _forbidden(access: KafkaAccess, what: str) -> Refusal:
    who = access.login.username if access.login else "us"
    return Refusal(
        f"Kafka at {access.servers} does not let {who} use {what} like this",
        "Grant what python -m shared.kafka.acls prints, or log in as the right user",
    )


async def _reason(access: KafkaAccess, found: KafkaConnectionError) -> Refusal | KafkaConnectionError:
    """Find out why no broker takes us: aiokafka only logs it. `found` when one does by now."""
    connection = {name: value for name, value in options(access).items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(access.servers):
        try:
            (await create_conn(host, port, **connection)).close()
        except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
            return Refusal(
                f"Kafka at {host}:{port} refuses user {access.login and access.login.username} ({error})",
                "Correct CHIMERA_KAFKA_SASL, _USERNAME and _PASSWORD, or make that user",
            )
        except ssl.SSLCertVerificationError as error:
            return Refusal(
                f"Kafka at {host}:{port} shows a certificate that is not trusted ({error.verify_message})",
                "Name the authority that signed it in CHIMERA_KAFKA_CA, or correct the host name in CHIMERA_KAFKA",
            )
        except (OSError, KafkaError) as error:  # TimeoutError is an OSError
            found = KafkaConnectionError(f"{host}:{port}: {type(error).__name__}: {error}")
    return found
