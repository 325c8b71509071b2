"""What `provision` does not touch, and says so in one line."""

import json

import pytest

from schemas.flow import TOPIC_IDS
from shared.errors import Refusal
from shared.kafka.admin.topics import provision, topic_ids, topic_settings
from shared.kafka.clients import create_group_consumer, open_admin
from shared.kafka.names import group, kafka_topic
from tests.support.kafka_world import KafkaWorld, until


async def test_a_kafka_topic_with_too_few_partitions_is_refused_unchanged(world: KafkaWorld) -> None:
    factory = f"{world.factory}-narrow"
    topic = topic_settings(factory, 1)["problem.requested"]
    async with open_admin(world.access) as admin:
        topic.num_partitions = 1
        await admin.create_topics([topic])
        with pytest.raises(Refusal, match=f"{topic.name} has 1 partitions and needs 8. Add partitions to it"):
            await provision(world.access, factory)
        (found,) = await admin.describe_topics([topic.name])
    assert len(found["partitions"]) == 1
    assert await topic_ids(world.access, factory) == {}, "groups were given offsets in it"


async def test_initial_offsets_are_committed_only_for_a_group_without_members(world: KafkaWorld) -> None:
    name, known = group(world.factory, "expansion"), await topic_ids(world.access, world.factory)
    before = json.dumps({"id": known["subject.requested"].id, "groups": []})  # of a flow in which it did not read this
    await world.put(TOPIC_IDS, b"subject.requested", before.encode())
    early = create_group_consumer(world.access, name, session_s=6)
    early.subscribe([kafka_topic(world.factory, "subject.requested")])
    await early.start()
    try:

        async def joined() -> bool:
            await early.getmany(timeout_ms=100)
            return bool(early.assignment())

        await until(joined, "a member of the group")
        with pytest.raises(Refusal, match=f"{name} has members.*Stop every process of {name}"):
            await provision(world.access, world.factory)
    finally:
        await early.stop()
    await provision(world.access, world.factory)
    assert await topic_ids(world.access, world.factory) == known
