"""Kafka topics and group offsets, made from the flow. Safe to repeat: what is there is left alone.

Every group gets offset 0 on every partition it reads, once. From then on a group without an offset is a group that
lost it, and refuses to start. What was given is remembered on the compacted Kafka topic `topic_ids`, together with
an id for each Kafka topic: a re-created one is another one, although its offsets begin at 0 again.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError

from schemas.flow import DEAD_LETTERS, DEFAULT_PARTITIONS, FLOW, SERVICES, TOPIC_IDS
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.clients import RECORD_LIMIT, Producer, administrator, member, observer
from shared.kafka.codec import Message
from shared.kafka.names import flow_name, group, kafka_topic

TOPIC_ALREADY_EXISTS = 36
NOT_KNOWN_YET = (3, 5)
"""Codes of a Kafka topic, or its leader, that the broker we ask has not heard of."""

_FOREVER = {"retention.ms": "-1", "max.message.bytes": str(RECORD_LIMIT)}
_COMPACTED = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(RECORD_LIMIT),
    "segment.bytes": str(16 * 1024 * 1024),  # the newest segment is never compacted, and may have 1 GB by default
}


@dataclass(frozen=True, slots=True)
class TopicId:
    """One life of a Kafka topic, and the services whose groups were given their offsets in it."""

    id: str
    groups: tuple[str, ...] = ()


async def provision(access: KafkaAccess, factory: str, replication: int = 1) -> None:
    """Create the factory's Kafka topics and group offsets.

    Raises Refusal when a Kafka topic is there with too few partitions, or a group that needs offsets has members.
    """
    async with administrator(access) as admin:
        created = await _create(admin, factory, replication)
    known = {} if TOPIC_IDS in created else await topic_ids(access, factory)
    for name in created:
        known.pop(name, None)
    await _commit_initial_offsets(access, factory, known)


async def topic_ids(access: KafkaAccess, factory: str) -> dict[str, TopicId]:
    """Read which incarnation of each Kafka topic is in use."""
    partition = TopicPartition(kafka_topic(factory, TOPIC_IDS), 0)
    found: dict[str, TopicId] = {}
    reader = observer(access)
    await reader.start()
    try:
        reader.assign([partition])
        end = (await reader.end_offsets([partition]))[partition]
        while await reader.position(partition) < end:
            for record in (await reader.getmany(partition, timeout_ms=200)).get(partition, []):
                value = json.loads(record.value)
                found[record.key.decode()] = TopicId(value["id"], tuple(value["groups"]))
    finally:
        await reader.stop()
    return found


async def _create(admin: AIOKafkaAdminClient, factory: str, replication: int) -> set[str]:
    """Create what is missing; returns the names of what was created."""
    shapes = topic_settings(factory, replication)
    there = set(await admin.list_topics())
    created = {name for name, topic in shapes.items() if topic.name not in there}
    if created:
        answer = await admin.create_topics([shapes[name] for name in created])
        for topic, code, message in answer.topic_errors:
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise Refusal(f"Kafka topic {topic} could not be created: {message}", "See the broker's log")
            if code == TOPIC_ALREADY_EXISTS:  # made so recently that it was not listed
                created.remove(flow_name(factory, topic))
    kept = [topic for name, topic in shapes.items() if name not in created]
    for description in await _described(admin, [topic.name for topic in kept]) if kept else []:
        needed = next(topic.num_partitions for topic in kept if topic.name == description["topic"])
        if (found := len(description["partitions"])) < needed:
            raise Refusal(
                f"Kafka topic {description['topic']} has {found} partitions and needs {needed}",
                f"Add partitions to it, or use another factory name than {factory!r}",
            )
    return created


async def _described(admin: AIOKafkaAdminClient, topics: list[str]) -> list[dict[str, Any]]:
    """Describe Kafka topics that are there. The broker may hear of a new one a moment later."""
    while True:
        found: list[dict[str, Any]] = await admin.describe_topics(topics)
        if not any(one["error_code"] in NOT_KNOWN_YET for one in found):
            return found
        await asyncio.sleep(0.1)


def topic_settings(factory: str, replication: int) -> dict[str, NewTopic]:
    """Every Kafka topic of a factory, by its name without the factory."""
    shapes: list[tuple[str, int, Mapping[str, str]]] = [
        (TOPIC_IDS, 1, _COMPACTED),
        (DEAD_LETTERS, DEFAULT_PARTITIONS, _FOREVER),
        *((flow.name, flow.partitions, _FOREVER) for flow in FLOW),
        *((name, partitions, _COMPACTED) for service in SERVICES for name, partitions in service.state),
    ]
    return {
        name: NewTopic(kafka_topic(factory, name), partitions, replication, topic_configs=dict(configs))
        for name, partitions, configs in shapes
    }


async def _commit_initial_offsets(access: KafkaAccess, factory: str, known: Mapping[str, TopicId]) -> None:
    new: dict[str, dict[TopicPartition, int]] = {}
    for flow in FLOW:
        given = known[flow.name].groups if flow.name in known else ()
        for service in set(flow.consumers) - set(given):
            offsets = new.setdefault(service, {})
            topic = kafka_topic(factory, flow.name)
            offsets.update({TopicPartition(topic, partition): 0 for partition in range(flow.partitions)})
    await asyncio.gather(*(_commit(access, group(factory, service), new[service]) for service in new))
    await _record_topic_ids(access, factory, known)


async def _commit(access: KafkaAccess, name: str, offsets: Mapping[TopicPartition, int]) -> None:
    committer = member(access, name)
    await committer.start()
    try:
        committer.assign(list(offsets))
        await committer.commit(dict(offsets))
    except CommitFailedError as error:
        raise Refusal(
            f"Group {name} has members, so that it cannot be given its first offsets in a Kafka topic",
            f"Stop every process of {name}, and try again",
        ) from error
    finally:
        await committer.stop()


async def _record_topic_ids(access: KafkaAccess, factory: str, known: Mapping[str, TopicId]) -> None:
    now = {
        flow.name: TopicId(known[flow.name].id if flow.name in known else uuid4().hex, flow.consumers) for flow in FLOW
    }
    producer = Producer(access, factory)
    await producer.start()
    try:
        await producer.publish(_records({name: value for name, value in now.items() if value != known.get(name)}))
    finally:
        await producer.stop()


def _records(changed: Mapping[str, TopicId]) -> Iterable[Message]:
    for name, value in changed.items():
        text = json.dumps({"id": value.id, "groups": value.groups})
        yield Message(TOPIC_IDS, name.encode(), text.encode(), [])
