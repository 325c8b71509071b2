"""A factory on the test broker: write to the log, read it, read offsets, without joining a group."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import NewPartitions
from pydantic import SecretStr

from deploy.local.ports import Ports
from schemas.events import Event, ProblemRequested
from schemas.flow import FLOW, consumed_by
from schemas.identity import factory_id
from schemas.item import Topic
from shared.cache.client import connect
from shared.cache.idempotency import IdempotencyStore
from shared.config.connections import KafkaAccess, ValkeyAccess
from shared.config.settings import Settings
from shared.kafka.clients import RECORD_LIMIT, KafkaError, Producer, open_admin, open_reader
from shared.kafka.codec import Message, decode, encode
from shared.kafka.names import group, kafka_topic
from shared.runtime.process import ServiceLoop

PATIENCE_S = 120.0
"""How long a test waits for what comes within seconds on an idle machine."""
MODELS = Path(__file__).parents[2] / "deploy" / "compose" / "models.simulated.json"
TOPIC = Topic(subject="physics", field="mechanics", subfield="rigid bodies", name="gyroscopes")


class KafkaWorld:
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
        """Return settings of a service in this factory, with short time limits."""
        waits = {"session_s": 6, "lease_s": 3, "backoff_s": 0.01, "drain_s": 5, "grace_s": 5}
        quick = {**waits, "health_port": 0, "attempts": 3}
        place = {"factory": self.factory, "kafka": self.kafka, "valkey": self.valkey, "models": MODELS}
        return Settings(service=service, **{**place, **quick, **changes})

    def env(self, service: str, **changes: Any) -> dict[str, str]:
        """Return the same settings as environment variables."""
        settings = self.settings(service, **changes).model_dump(exclude_unset=True)
        return {
            f"CHIMERA_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in settings.items()
        }

    def requests(self, number: int, start: int = 0) -> list[ProblemRequested]:
        """Make requests for problems, as the planner does."""
        parent = TOPIC.id(factory_id(self.factory))
        return [
            ProblemRequested.root(parent, "planner", index, plan="test", topic=TOPIC, answer_type="number")
            for index in range(start, start + number)
        ]

    async def publish(self, events: Iterable[Event], partition: int | None = None) -> None:
        """Publish events as their producer does, all acknowledged."""
        for message in [encode(event, f"{self.factory}/test") for event in events]:
            await self.put(message.name, message.key, message.value, message.headers, partition)

    async def put(
        self,
        name: str,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
        partition: int | None = None,
    ) -> None:
        """Write any bytes to a Kafka topic."""
        topic = kafka_topic(self.factory, name)
        await self.raw.send_and_wait(topic, value, key, partition=partition, headers=list(headers))

    async def add_partitions(self, total: int, *names: str) -> None:
        """Raise the number of partitions of some Kafka topics, as an operator does with Kafka's own tool."""
        topics = [kafka_topic(self.factory, name) for name in names]
        async with open_admin(self.access) as admin:
            await admin.create_partitions({topic: NewPartitions(total) for topic in topics})
        for topic in topics:
            while len(await self.raw.partitions_for(topic)) < total:
                await self.raw.client.force_metadata_update()

    async def records(self, name: str) -> list[ConsumerRecord]:
        """Return all records that are now on a Kafka topic."""
        async with open_reader(self.access) as reader:
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

    async def events(self, name: str) -> list[Any]:
        """Return all events that are now on a Kafka topic."""
        return [decode(name, r.key, r.value, r.headers) for r in await self.records(name)]

    async def ends(self, name: str) -> dict[int, int]:
        """Return the end offset of each partition."""
        async with open_reader(self.access) as reader:
            topic = kafka_topic(self.factory, name)
            ends = await reader.end_offsets([TopicPartition(topic, n) for n in await _number(reader, topic)])
            return {partition.partition: end for partition, end in ends.items()}

    async def records_by_topic(self) -> dict[str, int]:
        """Return the number of records that each Kafka topic of the flow ever had."""
        return {flow.name: sum((await self.ends(flow.name)).values()) for flow in FLOW}

    async def is_caught_up(self, service: str) -> bool:
        """Return whether the service has committed all that its Kafka topics hold, thus published what follows."""
        names = [flow.name for flow in consumed_by(service)]
        return all([await self.committed(service, name) == await self.ends(name) for name in names])

    async def committed(self, service: str, name: str) -> dict[int, int]:
        """Return the committed offset of each partition."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, group_id=group(self.factory, service), enable_auto_commit=False
        )
        try:
            await reader.start()
            topic = kafka_topic(self.factory, name)
            numbers = await _number(reader, topic)
            return {n: await reader.committed(TopicPartition(topic, n)) or 0 for n in numbers}
        finally:
            await reader.stop()

    @asynccontextmanager
    async def process(self, module: str, service: str, **changes: Any) -> AsyncIterator["OsProcess"]:
        """Run a service as a process; kill it at the end if it still runs."""
        port = Ports({}).take(service)
        env = self.env(service, **{"health_port": port, "dataset": self.folder, **changes})
        log = self.folder / f"{service}-{port}.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                env={**os.environ, **env},  # noqa: TID251 - passed on
                stderr=file,
            )
        try:
            yield OsProcess(process, port, log)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def outcomes(self, settings: Settings) -> IdempotencyStore:
        """Return the idempotency store of a service."""
        return IdempotencyStore(
            self._valkey_client, self.factory, settings.service, settings.marker_days, settings.lease_s
        )

    async def seeds_on_record(self, service: str) -> set[int]:
        """Return the seeds of recorded model calls of unfinished events."""
        keys = [key async for key in self._valkey_client.scan_iter(f"{self.factory}:{service}:calls:*")]
        results = [result for key in keys for result in (await self._valkey_client.hgetall(key)).values()]
        return {call["seed"] for result in results for call in json.loads(result)["calls"]}

    @asynccontextmanager
    async def running(
        self, make: Callable[[Producer], ServiceLoop], producer: Producer | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run a service's loop in this process; stop it at the end as SIGTERM does."""
        producer = producer or Producer(self.access, self.factory)
        await producer.start()
        loop = make(producer)
        task = asyncio.create_task(loop.run())
        try:
            yield task
        finally:
            loop.stop()
            _, late = await asyncio.wait([task], timeout=PATIENCE_S / 2)
            if late:  # a test that failed left it waiting
                task.cancel()
                await asyncio.wait([task])
            await producer.stop()


class GatedProducer(Producer):
    """A real producer that blocks the named Kafka topics (default: all) until the gate opens."""

    def __init__(self, access: KafkaAccess, factory: str, *names: str) -> None:
        super().__init__(access, factory)
        self._names = names
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()

    async def publish(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        if not self._names or any(message.name in self._names for message in messages):
            self.waiting.set()
            await self.gate.wait()
        await super().publish(messages)


class BrokenProducer(Producer):
    """A real producer that fails for the named Kafka topic, as if the broker refused it."""

    def __init__(self, access: KafkaAccess, factory: str, name: str) -> None:
        super().__init__(access, factory)
        self._name = name

    async def publish(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        if any(message.name == self._name for message in messages):
            raise KafkaError("refused")
        await super().publish(messages)


class OsProcess:
    """A service that runs as a process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self._process = process
        self._port = port
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, within_s: float = PATIENCE_S) -> None:
        """Wait until it reports readiness."""

        async def is_ready() -> bool:
            assert self._process.returncode is None, self._log.read_text()
            return await self.readyz() == 200

        await until(is_ready, "readiness", within_s)

    async def readyz(self) -> int:
        """Return the status of /readyz; 0 while nothing listens."""
        try:
            return (await self.get("/readyz")).status_code
        except httpx.TransportError:
            return 0

    async def answers(self) -> bool:
        """Return whether its health server listens."""
        assert self._process.returncode is None, self._log.read_text()
        return await self.readyz() != 0

    async def owns_everything(self, partitions: int = 8) -> bool:
        """Return whether its last assignment had this number of partitions."""
        output = [line["message"] for line in self.log() if line["message"].startswith("assigned ")]
        return output[-1:] == [f"assigned {partitions} partitions"]

    async def output(self, words: str) -> bool:
        """Return whether its log contains these words; it must still run."""
        assert self._process.returncode is None, self._log.read_text()
        return any(words in line["message"] for line in self.log())

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            return await client.get(f"http://127.0.0.1:{self._port}{path}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self, within_s: float = PATIENCE_S) -> int:
        """Wait until it exits; return the exit code, negative for a signal."""
        return await asyncio.wait_for(self._process.wait(), within_s)

    def log(self) -> list[dict[str, str]]:
        """Return its log lines; ignores lines of Rust libraries, which are not JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]


async def _number(reader: AIOKafkaConsumer, topic: str) -> list[int]:
    await reader._client.add_topic(topic)
    return sorted(reader.partitions_for_topic(topic))


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, within_s: float = PATIENCE_S, every_s: float = 0.05
) -> None:
    """Wait until a condition holds; fail with `what` after `within_s` seconds."""
    async with asyncio.timeout(within_s) as deadline:
        try:
            while not await condition():
                if deadline.expired():  # the condition swallowed the cancellation: asyncio.wait_for may, before 3.12
                    raise asyncio.CancelledError
                await asyncio.sleep(every_s)
        except asyncio.CancelledError as error:
            if deadline.expired():
                raise AssertionError(f"not within {within_s:g} s: {what}") from error
            raise
