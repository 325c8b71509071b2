"""What tests do with the log from outside: write to it, read it whole, look at offsets. It uses no group's state."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic import SecretStr

from schemas.events import Event, ProblemRequested
from schemas.identity import factory_id
from schemas.item import Topic
from shared.access import KafkaAccess, ValkeyAccess
from shared.cache.client import connect
from shared.cache.outcomes import Outcomes
from shared.kafka.clients import RECORD_LIMIT, Producer, observer
from shared.kafka.codec import decode, encode
from shared.kafka.names import group, kafka_topic
from shared.runtime.process import Loop
from shared.settings import Settings

PATIENCE_S = 30.0
TOPIC = Topic(subject="physics", field="mechanics", subfield="rigid bodies", name="gyroscopes")


class World:
    """One factory on the test broker."""

    def __init__(self, kafka: str, valkey: str, factory: str, folder: Path) -> None:
        self.kafka = kafka
        self.access = KafkaAccess(kafka)
        self.valkey = valkey
        self.factory = factory
        self.folder = folder

    async def __aenter__(self) -> Self:
        self.raw = AIOKafkaProducer(bootstrap_servers=self.kafka, max_request_size=RECORD_LIMIT)
        await self.raw.start()
        self._valkey_client = connect(ValkeyAccess(self.valkey))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._valkey_client.aclose()
        await self.raw.stop()

    def settings(self, service: str, **changes: Any) -> Settings:
        """Settings of a service in this factory, quick to fail and to take over."""
        quick = {"session_s": 6, "backoff_s": 0.01, "drain_s": 5, "grace_s": 5, "health_port": 0, "attempts": 3}
        place = {"factory": self.factory, "kafka": self.kafka, "valkey": self.valkey}
        return Settings(service=service, **{**place, **quick, **changes})

    def env(self, service: str, **changes: Any) -> dict[str, str]:
        """Build the same settings as environment variables."""
        settings = self.settings(service, **changes).model_dump(exclude_unset=True)
        return {
            f"CHIMERA_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in settings.items()
        }

    def requests(self, number: int, start: int = 0) -> list[ProblemRequested]:
        """Requests for problems, as the planner makes them."""
        parent = TOPIC.id(factory_id(self.factory))
        return [
            ProblemRequested.root(parent, "planner", index, plan="test", topic=TOPIC, answer_type="number")
            for index in range(start, start + number)
        ]

    async def publish(self, events: Iterable[Event], partition: int | None = None) -> None:
        """Put events on the log as their producer does, all acknowledged."""
        for message in [encode(event, f"{self.factory}/test") for event in events]:
            await self.put(message.name, message.key, message.value, message.headers, partition)

    async def put(
        self,
        name: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int | None = None,
    ) -> None:
        """Put any bytes on a Kafka topic."""
        topic = kafka_topic(self.factory, name)
        await self.raw.send_and_wait(topic, value, key, partition=partition, headers=headers or [])

    async def records(self, name: str) -> list[ConsumerRecord]:
        """Everything on a Kafka topic at this moment."""
        reader = observer(self.access)
        await reader.start()
        try:
            topic = kafka_topic(self.factory, name)
            partitions = [
                TopicPartition(topic, p) for p in reader.partitions_for_topic(topic) or await _number(reader, topic)
            ]
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            for partition in partitions:
                while await reader.position(partition) < ends[partition]:
                    batch = await reader.getmany(partition, timeout_ms=200)
                    found += batch.get(partition, [])
            return found
        finally:
            await reader.stop()

    async def events(self, name: str) -> list[Any]:
        """Every event on a Kafka topic at this moment."""
        return [decode(name, r.key, r.value, r.headers) for r in await self.records(name)]

    async def committed(self, service: str, name: str) -> dict[int, int]:
        """Committed offset by partition."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, group_id=group(self.factory, service), enable_auto_commit=False
        )
        await reader.start()
        try:
            topic = kafka_topic(self.factory, name)
            numbers = await _number(reader, topic)
            return {n: await reader.committed(TopicPartition(topic, n)) or 0 for n in numbers}
        finally:
            await reader.stop()

    def outcomes(self, settings: Settings) -> Outcomes:
        """The outcome records of a service."""
        return Outcomes(self._valkey_client, self.factory, settings.service, settings.marker_days)

    @asynccontextmanager
    async def running(
        self, make: Callable[[Producer], Loop], producer: Producer | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A service's loop inside this process, stopped at the end as by SIGTERM."""
        producer = producer or Producer(self.access, self.factory)
        await producer.start()
        loop = make(producer)
        task = asyncio.create_task(loop.run())
        try:
            yield task
        finally:
            loop.stop()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
            await producer.stop()


async def _number(reader: AIOKafkaConsumer, topic: str) -> list[int]:
    await reader._client.add_topic(topic)
    return sorted(reader.partitions_for_topic(topic))


async def until(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds; fail saying what was waited for."""
    async with asyncio.timeout(within_s) as deadline:
        try:
            while not await condition():  # noqa: ASYNC110 - what is waited for lies in other processes
                await asyncio.sleep(0.05)
        except asyncio.CancelledError as error:
            if deadline.expired():
                raise AssertionError(f"not within {within_s:g} s: {what}") from error
            raise
