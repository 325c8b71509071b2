"""Compares Kafka with the flow: Kafka topics, their settings, and every group's offsets. Changes nothing."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.flow import BY_TYPE, FLOW, TOPIC_IDS
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import topic_ids, topic_settings
from shared.kafka.clients import open_admin, open_reader
from shared.kafka.lag import Positions, committed_offsets, offset_bounds
from shared.kafka.names import kafka_topic
from shared.kafka.partitions import find_partitions

CREATE_COMMAND = "chimera kafka create"
ADDED = "has no offset in partitions that were added"
LOST = "has no offset"
RESTORE_COMMAND = f"{CREATE_COMMAND} --restore-offsets"
CHOOSE_OFFSETS = (
    "Stop the service. Restore the group's offsets from a backup, or accept that events are handled again or skipped: "
    "kafka-consumer-groups.sh --reset-offsets"
)


@dataclass(frozen=True, slots=True)
class KafkaProblem:
    """A fault of a Kafka topic or a group, and how to correct it."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class KafkaReport:
    """How much was checked, and the faults."""

    kafka_topics: int
    groups: int
    problems: tuple[KafkaProblem, ...]


async def check(access: KafkaAccess, factory: str) -> KafkaReport:
    """Check everything that the flow needs. Raises KafkaError when Kafka does not answer."""
    async with open_admin(access) as admin:
        needed = {topic.name: topic for topic in topic_settings(factory, 1).values()}
        existing = set(await admin.list_topics()) & needed.keys()
        described = await admin.describe_topics(sorted(existing)) if existing else []
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
        settings = await _settings(admin, existing)
        problems = [problem for topic in needed.values() for problem in check_topic(topic, partitions, settings)]
        found = await find_partitions(admin, factory, BY_TYPE)
        usable = [flow for flow in FLOW if partitions.get(kafka_topic(factory, flow.name), 0) >= flow.partitions]
        groups = [(name, flow) for flow in usable for name in flow.consumers]
        committed = [(name, await committed_offsets(admin, factory, name, found[flow.name])) for name, flow in groups]
    known = await topic_ids(access, factory) if kafka_topic(factory, TOPIC_IDS) in existing else {}
    initialised = {kafka_topic(factory, name): topic.partitions for name, topic in known.items()}
    starts, ends = await _bounds(access, {partition for _, offsets in committed for partition in offsets})
    for name, offsets in committed:
        problems += check_group(name, offsets, starts, ends, initialised)
    return KafkaReport(len(needed), len({name for name, _ in groups}), tuple(problems))


def check_topic(
    topic: NewTopic, partitions: dict[str, int], settings: dict[str, dict[str, str]]
) -> Iterator[KafkaProblem]:
    """Yield the faults of one Kafka topic."""
    if topic.name not in partitions:
        yield KafkaProblem(f"Kafka topic {topic.name} is missing", CREATE_COMMAND)
        return
    if (count := partitions[topic.name]) < topic.num_partitions:
        what = f"Kafka topic {topic.name} has {count} partitions and needs {topic.num_partitions}"
        yield KafkaProblem(what, f"kafka-topics.sh --alter --topic {topic.name} --partitions {topic.num_partitions}")
    for name, needed in {"cleanup.policy": "delete", **topic.topic_configs}.items():
        value = settings[topic.name].get(name, "")
        if int(value or 0) < int(needed) if name == "max.message.bytes" else value != needed:
            target = f"--entity-type topics --entity-name {topic.name}"
            change = f"kafka-configs.sh --alter {target} --add-config {name}={needed}"
            yield KafkaProblem(f"Kafka topic {topic.name} has {name}={value} and needs {needed}", change)


def check_group(
    service: str,
    offsets: Positions,
    starts: dict[Any, int],
    ends: dict[Any, int],
    initialised: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[KafkaProblem]:
    """Yield the faults of a service's offsets in one Kafka topic, each once with its partitions.

    `initialised` holds by Kafka topic in how many partitions groups got their initial offsets.
    """
    faults: dict[str, list[int]] = {}
    for partition, offset in offsets.items():
        if offset is None and partition.partition >= initialised.get(partition.topic, sys.maxsize):
            faults.setdefault(ADDED, []).append(partition.partition)
        elif fault := _offset_fault(offset, starts[partition], ends[partition]):
            faults.setdefault(fault, []).append(partition.partition)
    for fault, partitions in faults.items():
        where = f"{next(iter(offsets)).topic}, partitions {', '.join(map(str, partitions))}"
        next_step = {ADDED: CREATE_COMMAND, LOST: RESTORE_COMMAND}.get(fault, CHOOSE_OFFSETS)
        yield KafkaProblem(f"the group of {service} {fault} ({where})", next_step)


def _offset_fault(offset: int | None, start: int, end: int) -> str | None:
    if offset is None:
        return LOST
    if offset < start:
        return "has an offset before the first record: records that it has not handled are gone"
    return "has an offset beyond the last record: the Kafka topic was created anew" if offset > end else None


async def _settings(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in await admin.describe_configs(resources)
        for resource in response.resources
    }


async def _bounds(
    access: KafkaAccess, partitions: set[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    if not partitions:
        return {}, {}
    async with open_reader(access) as reader:
        return await offset_bounds(reader, partitions)
