"""Is Kafka as the flow needs it? Looks at Kafka topics, their settings, and every group's offsets; changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.flow import FLOW
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import topic_settings
from shared.kafka.clients import administrator, observer
from shared.kafka.lag import Positions, committed, extent

CREATE = "chimera kafka create"
LOST = (
    "Stop the service. Restore the group's offsets from a backup, or accept that events are handled again or skipped: "
    "kafka-consumer-groups.sh --reset-offsets"
)


@dataclass(frozen=True, slots=True)
class KafkaProblem:
    """What is wrong with a Kafka topic or a group, and what to do about it."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class KafkaReport:
    """What was looked at, and what is wrong."""

    kafka_topics: int
    groups: int
    problems: tuple[KafkaProblem, ...]


async def check(access: KafkaAccess, factory: str) -> KafkaReport:
    """Look at everything that the flow needs. Raises KafkaError when Kafka does not answer."""
    async with administrator(access) as admin:
        shapes = {topic.name: topic for topic in topic_settings(factory, 1).values()}
        there = set(await admin.list_topics()) & shapes.keys()
        found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(sorted(there))} if there else {}
        settings = await _settings(admin, there)
        problems = [problem for shape in shapes.values() for problem in check_topic(shape, found, settings)]
        whole = [flow for flow in FLOW if found.get(f"{factory}.{flow.name}", 0) >= flow.partitions]
        groups = [(name, flow) for flow in whole for name in flow.consumers]
        places = [(name, await committed(admin, factory, name, [flow])) for name, flow in groups]
    starts, ends = await _extent(access, {partition for _, stand in places for partition in stand})
    for name, stand in places:
        problems += check_group(name, stand, starts, ends)
    return KafkaReport(len(shapes), len({name for name, _ in groups}), tuple(problems))


def check_topic(
    shape: NewTopic, partitions: dict[str, int], settings: dict[str, dict[str, str]]
) -> Iterator[KafkaProblem]:
    """What is wrong with one Kafka topic."""
    if shape.name not in partitions:
        yield KafkaProblem(f"Kafka topic {shape.name} is missing", CREATE)
        return
    if (found := partitions[shape.name]) < shape.num_partitions:
        told = f"Kafka topic {shape.name} has {found} partitions and needs {shape.num_partitions}"
        yield KafkaProblem(told, f"kafka-topics.sh --alter --topic {shape.name} --partitions {shape.num_partitions}")
    for name, value in {"cleanup.policy": "delete", **shape.topic_configs}.items():
        has = settings[shape.name].get(name, "")
        if int(has or 0) < int(value) if name == "max.message.bytes" else has != value:
            change = (
                f"kafka-configs.sh --alter --entity-type topics --entity-name {shape.name} --add-config {name}={value}"
            )
            yield KafkaProblem(f"Kafka topic {shape.name} has {name}={has} and needs {value}", change)


def check_group(
    service: str, places: Positions, starts: dict[Any, int], ends: dict[Any, int]
) -> Iterator[KafkaProblem]:
    """What is wrong with a service's offsets in one Kafka topic: each kind once, with the partitions it is in."""
    kinds: dict[str, list[int]] = {}
    for partition, at in places.items():
        if kind := _wrong(at, starts[partition], ends[partition]):
            kinds.setdefault(kind, []).append(partition.partition)
    for kind, partitions in kinds.items():
        where = f"{next(iter(places)).topic}, partitions {', '.join(map(str, partitions))}"
        yield KafkaProblem(f"the group of {service} {kind} ({where})", LOST)


def _wrong(at: int | None, start: int, end: int) -> str | None:
    if at is None:
        return "has no offset"
    if at < start:
        return "stands before the first record: what it has not handled is gone"
    return "stands beyond the last record: the Kafka topic was made anew" if at > end else None


async def _settings(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in await admin.describe_configs(asked)
        for resource in response.resources
    }


async def _extent(
    access: KafkaAccess, partitions: set[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    if not partitions:
        return {}, {}
    reader = observer(access)
    await reader.start()
    try:
        return await extent(reader, partitions)
    finally:
        await reader.stop()
