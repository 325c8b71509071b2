"""Creates the Kafka topics of the flow and the initial offsets of every group. Safe to repeat, also with members.

A group that has no offset later has lost it, and its service refuses to start. The compacted Kafka topic TOPIC_IDS
records which groups have initial offsets, and an id for each Kafka topic: one that is created anew has another id,
although its offsets start at 0 again.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.flow import DEAD_LETTERS, DEFAULT_PARTITIONS, FLOW, SERVICES, TOPIC_IDS, UNCONSUMED_RETENTION_MS
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.admin.initial_offsets import GroupStart, commit_initial_offsets, plan_initial_offsets
from shared.kafka.clients import RECORD_LIMIT, Producer, open_admin
from shared.kafka.codec import Message
from shared.kafka.names import flow_name, kafka_topic
from shared.kafka.read.records import partitions_of, read_records

TOPIC_ALREADY_EXISTS = 36
NOT_PROPAGATED_YET = (3, 5)
"""Error codes of a broker that does not know a new Kafka topic, or its leader, yet."""

_FOREVER = {"retention.ms": "-1", "max.message.bytes": str(RECORD_LIMIT)}
_BY_AGE = {**_FOREVER, "retention.ms": str(UNCONSUMED_RETENTION_MS)}
_COMPACTED = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(RECORD_LIMIT),
    "segment.bytes": str(16 * 1024 * 1024),  # the newest segment is never compacted; the default size is 1 GB
}


@dataclass(frozen=True, slots=True)
class TopicId:
    """Id of a Kafka topic since its creation, and the services whose groups have initial offsets in it."""

    id: str
    groups: tuple[str, ...] = ()


async def provision(
    access: KafkaAccess, factory: str, replication: int = 1, *, from_beginning: bool = False
) -> list[GroupStart]:
    """Create the factory's Kafka topics and group offsets; return the starts in Kafka topics that existed before.

    A new group of an existing Kafka topic starts at its end, or with `from_beginning` at its beginning. Raises Refusal
    when a Kafka topic has too few partitions, or as `commit_initial_offsets`.
    """
    async with open_admin(access) as admin:
        created = await _create(admin, factory, replication)
    ids = {} if TOPIC_IDS in created else await topic_ids(access, factory)
    for name in created:
        ids.pop(name, None)
    groups = {name: topic.groups for name, topic in ids.items()}
    planned = await plan_initial_offsets(access, factory, groups, from_beginning=from_beginning)
    await commit_initial_offsets(access, factory, planned)
    await _record_topic_ids(access, factory, ids)
    return [start for start in planned if start.kafka_topic in ids]


async def topic_ids(access: KafkaAccess, factory: str) -> dict[str, TopicId]:
    """Read the present id of each Kafka topic."""
    ids: dict[str, TopicId] = {}
    async with aclosing(read_records(access, partitions_of(factory, TOPIC_IDS, 1))) as batches:
        async for batch in batches:
            for record in chain.from_iterable(batch.values()):
                value = json.loads(record.value)
                ids[record.key.decode()] = TopicId(value["id"], tuple(value["groups"]))
    return ids


async def _create(admin: AIOKafkaAdminClient, factory: str, replication: int) -> set[str]:
    """Create missing Kafka topics; return their names."""
    settings = topic_settings(factory, replication)
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
    for description in await _describe(admin, [topic.name for topic in present]) if present else []:
        needed = next(topic.num_partitions for topic in present if topic.name == description["topic"])
        if (count := len(description["partitions"])) < needed:
            raise Refusal(
                f"Kafka topic {description['topic']} has {count} partitions and needs {needed}",
                f"Add partitions to it, or use another factory name than {factory!r}",
            )
    return created


async def _describe(admin: AIOKafkaAdminClient, topics: list[str]) -> list[dict[str, Any]]:
    """Describe existing Kafka topics; wait until the broker knows all of them."""
    while True:
        described: list[dict[str, Any]] = await admin.describe_topics(topics)
        if not any(one["error_code"] in NOT_PROPAGATED_YET for one in described):
            return described
        await asyncio.sleep(0.1)


def topic_settings(factory: str, replication: int) -> dict[str, NewTopic]:
    """Every Kafka topic of a factory, by its name without the factory."""
    settings: list[tuple[str, int, Mapping[str, str]]] = [
        (TOPIC_IDS, 1, _COMPACTED),
        (DEAD_LETTERS, DEFAULT_PARTITIONS, _FOREVER),
        *((flow.name, flow.partitions, _BY_AGE if flow.expires else _FOREVER) for flow in FLOW),
        *((name, partitions, _COMPACTED) for service in SERVICES for name, partitions in service.state),
    ]
    return {
        name: NewTopic(kafka_topic(factory, name), partitions, replication, topic_configs=dict(configs))
        for name, partitions, configs in settings
    }


async def _record_topic_ids(access: KafkaAccess, factory: str, ids: Mapping[str, TopicId]) -> None:
    now = {flow.name: TopicId(ids[flow.name].id if flow.name in ids else uuid4().hex, flow.consumers) for flow in FLOW}
    producer = Producer(access, factory)
    await producer.start()
    try:
        await producer.publish(_to_messages({name: value for name, value in now.items() if value != ids.get(name)}))
    finally:
        await producer.stop()


def _to_messages(changed: Mapping[str, TopicId]) -> Iterable[Message]:
    for name, value in changed.items():
        text = json.dumps({"id": value.id, "groups": value.groups})
        yield Message(TOPIC_IDS, name.encode(), text.encode(), [])
