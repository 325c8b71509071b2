"""Creates the Kafka topics of the flow and the initial offsets of every group. Safe to repeat, also with members.

A group that has no offset later has lost it, and its service refuses to start. The compacted Kafka topic TOPIC_IDS
records which groups have initial offsets, in how many partitions, and an id for each Kafka topic: one that is created
anew has another id, although its offsets start at 0 again.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from schemas.flow import (
    DEAD_LETTERS,
    DEFAULT_PARTITIONS,
    FIXED_PARTITIONS,
    FLOW,
    SERVICES,
    TOPIC_IDS,
    UNCONSUMED_RETENTION_MS,
)
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.admin.initial_offsets import GroupStart, Initialised, commit_initial_offsets, plan_initial_offsets
from shared.kafka.clients import RECORD_LIMIT, Producer, open_admin
from shared.kafka.codec import Message
from shared.kafka.names import flow_name, kafka_topic
from shared.kafka.partitions import declared_partitions, find_partitions, partitions_of
from shared.kafka.read.records import read_records

TOPIC_ALREADY_EXISTS = 36
NOT_PROPAGATED_YET = {3, 5}
"""Error codes of a broker that does not know a new Kafka topic, or its leader, yet."""

_FOREVER = {"retention.ms": "-1", "max.message.bytes": str(RECORD_LIMIT)}
_BY_AGE = {**_FOREVER, "retention.ms": str(UNCONSUMED_RETENTION_MS)}
_TRIMMED = {
    **_FOREVER,  # a segment is deleted as a whole, once all its records are trimmed, and never while it is written
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(3600 * 1000),
}
_COMPACTED = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(RECORD_LIMIT),
    "segment.bytes": str(16 * 1024 * 1024),  # the newest segment is never compacted; the default size is 1 GB
}


@dataclass(frozen=True, slots=True)
class TopicId:
    """Id of a Kafka topic since its creation, and the services whose groups have initial offsets in it."""

    id: str
    groups: tuple[str, ...]
    partitions: int
    """Number of its partitions at that time."""


async def provision(
    access: KafkaAccess,
    factory: str,
    replication: int = 1,
    *,
    from_beginning: bool = False,
    partitions: int = DEFAULT_PARTITIONS,
    restore: bool = False,
) -> list[GroupStart]:
    """Create the factory's Kafka topics and group offsets; return the starts in Kafka topics that existed before.

    Kafka topics without fixed partitions get `partitions`, unless they have more. A new group of an existing Kafka
    topic starts at its end, or with `from_beginning` at its beginning. With `restore` groups that lost their offsets
    get new ones. Raises Refusal when a Kafka topic has too few partitions, or as `commit_initial_offsets`.
    """
    async with open_admin(access) as admin:
        created = await _create(admin, factory, replication, partitions)
        found = await find_partitions(admin, factory, [flow.name for flow in FLOW])
    ids = {} if TOPIC_IDS in created else await topic_ids(access, factory)
    for name in created:
        ids.pop(name, None)
    existing = {name: Initialised(topic.groups, topic.partitions) for name, topic in ids.items()}
    planned = await plan_initial_offsets(
        access, factory, found, existing, from_beginning=from_beginning, restore=restore
    )
    await commit_initial_offsets(access, factory, planned)
    await _record_topic_ids(access, factory, ids, {name: len(partitions) for name, partitions in found.items()})
    return [start for start in planned if start.kafka_topic in ids]


async def topic_ids(access: KafkaAccess, factory: str) -> dict[str, TopicId]:
    """Read the present id of each Kafka topic."""
    ids: dict[str, TopicId] = {}
    async with aclosing(read_records(access, partitions_of(factory, TOPIC_IDS, 1))) as batches:
        async for batch in batches:
            for record in chain.from_iterable(batch.values()):
                name, value = record.key.decode(), json.loads(record.value)
                partitions = value.get("partitions", declared_partitions(name))
                ids[name] = TopicId(value["id"], tuple(value["groups"]), partitions)
    return ids


async def _create(admin: AIOKafkaAdminClient, factory: str, replication: int, partitions: int) -> set[str]:
    """Create missing Kafka topics and partitions; return the names of new Kafka topics."""
    settings = topic_settings(factory, replication, partitions)
    existing = set(await admin.list_topics())
    created = {name for name, topic in settings.items() if topic.name not in existing}
    if created:
        reply = await admin.create_topics([settings[name] for name in created])
        for topic, code, message in reply.topic_errors:
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise Refusal(f"Kafka topic {topic} could not be created: {message}", "See the broker's log")
            if code == TOPIC_ALREADY_EXISTS:  # created too recently to be listed
                created.remove(flow_name(factory, topic))
    present = [topic for name, topic in settings.items() if name not in created]
    counts = await _count_partitions(admin, {topic.name: 1 for topic in present}) if present else {}
    for topic in present:
        if (count := counts[topic.name]) < (needed := declared_partitions(flow_name(factory, topic.name))):
            raise Refusal(
                f"Kafka topic {topic.name} has {count} partitions and needs {needed}",
                f"Add partitions to it, or use another factory name than {factory!r}",
            )
    if raised := {topic.name: topic.num_partitions for topic in present if counts[topic.name] < topic.num_partitions}:
        await admin.create_partitions({name: NewPartitions(total_count=count) for name, count in raised.items()})
        await _count_partitions(admin, raised)
    return created


async def _count_partitions(admin: AIOKafkaAdminClient, expected: Mapping[str, int]) -> dict[str, int]:
    """Count the partitions of existing Kafka topics; wait until the broker knows as many as expected."""
    while True:
        described: list[dict[str, Any]] = await admin.describe_topics(list(expected))
        counts = {one["topic"]: len(one["partitions"]) for one in described}
        errors = {part["error_code"] for one in described for part in (one, *one["partitions"])}
        if not errors & NOT_PROPAGATED_YET and all(counts[name] >= count for name, count in expected.items()):
            return counts
        await asyncio.sleep(0.1)


def topic_settings(factory: str, replication: int, partitions: int = DEFAULT_PARTITIONS) -> dict[str, NewTopic]:
    """Every Kafka topic of a factory, by its name without the factory."""
    settings: list[tuple[str, Mapping[str, str]]] = [
        (TOPIC_IDS, _COMPACTED),
        (DEAD_LETTERS, _FOREVER),
        *((flow.name, _BY_AGE if flow.expires else _FOREVER if flow.retained else _TRIMMED) for flow in FLOW),
        *((name, _COMPACTED) for service in SERVICES for name, _ in service.state),
    ]
    return {
        name: NewTopic(
            kafka_topic(factory, name),
            FIXED_PARTITIONS.get(name) or max(partitions, declared_partitions(name)),
            replication,
            topic_configs=dict(configs),
        )
        for name, configs in settings
    }


async def _record_topic_ids(
    access: KafkaAccess, factory: str, ids: Mapping[str, TopicId], partitions: Mapping[str, int]
) -> None:
    known = {name: topic.id for name, topic in ids.items()}
    now = {
        flow.name: TopicId(known.get(flow.name) or uuid4().hex, flow.consumers, partitions[flow.name]) for flow in FLOW
    }
    producer = Producer(access, factory)
    await producer.start()
    try:
        await producer.publish(_to_messages({name: value for name, value in now.items() if value != ids.get(name)}))
    finally:
        await producer.stop()


def _to_messages(changed: Mapping[str, TopicId]) -> Iterable[Message]:
    for name, value in changed.items():
        added = {"partitions": value.partitions} if value.partitions > declared_partitions(name) else {}
        text = json.dumps({"id": value.id, "groups": value.groups, **added})
        yield Message(TOPIC_IDS, name.encode(), text.encode(), [])
