"""Provisioning: what it creates, what it leaves, and where groups start."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.protocol.admin import DeleteGroupsRequest

from schemas.flow import FLOW, TOPIC_IDS
from shared.errors import Refusal
from shared.kafka.admin import initial_offsets, topics
from shared.kafka.admin.check import check
from shared.kafka.admin.create import create
from shared.kafka.admin.initial_offsets import GroupStart
from shared.kafka.admin.retention import trim
from shared.kafka.admin.topics import provision, topic_ids, topic_settings
from shared.kafka.clients import create_group_consumer, open_admin
from shared.kafka.consume.assignors import SingleActiveAssignor
from shared.kafka.lag import committed_offsets
from shared.kafka.names import group, kafka_topic
from shared.kafka.partitions import partitions_of
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


@asynccontextmanager
async def member(world: KafkaWorld, service: str, topic: str, assignor: type) -> AsyncIterator[AIOKafkaConsumer]:
    """Run a member of a service's group, of a version that consumes one Kafka topic."""
    consumer = create_group_consumer(world.access, group(world.factory, service), 6, assignor)
    consumer.subscribe([kafka_topic(world.factory, topic)])
    await consumer.start()

    async def consume() -> None:
        while True:
            await consumer.getmany(timeout_ms=100)

    task = asyncio.create_task(consume())
    try:
        await until(lambda: is_assigned(consumer), "the member's partitions")
        yield consumer
    finally:
        task.cancel()
        await asyncio.wait([task])
        await consumer.stop()


async def is_assigned(consumer: AIOKafkaConsumer, partitions: int = 8) -> bool:
    return len(consumer.assignment()) == partitions


@pytest.mark.parametrize(
    ("service", "consumed", "new", "assignor"),
    [
        ("synthesis", "problem.probed", "solution.requested", RoundRobinPartitionAssignor),
        ("planner", "topic.expanded", "sample.deleted", SingleActiveAssignor),
        ("aggregator", "solution.checked", "problem.resolved", SingleActiveAssignor),
    ],
)
async def test_a_group_with_members_gets_offsets_in_a_new_kafka_topic(
    world: KafkaWorld, service: str, consumed: str, new: str, assignor: type
) -> None:
    async with open_admin(world.access) as admin:
        await admin.delete_topics([kafka_topic(world.factory, new)])
    async with member(world, service, consumed, assignor) as consumer:
        known = await topic_ids(world.access, world.factory)
        assert await provision(world.access, world.factory) == []
        await until(lambda: is_assigned(consumer), "the member's partitions after the commit")
        assert {partition.topic for partition in consumer.assignment()} == {kafka_topic(world.factory, consumed)}
    async with open_admin(world.access) as admin:
        offsets = await committed_offsets(admin, world.factory, service, partitions_of(world.factory, new, 8))
    assert set(offsets.values()) == {0}
    assert (await topic_ids(world.access, world.factory))[new].id != known[new].id


async def test_known_offsets_of_a_group_with_members_stay(world: KafkaWorld) -> None:
    known = await topic_ids(world.access, world.factory)
    before = json.dumps({"id": known["subject.requested"].id, "groups": []})
    await world.put(TOPIC_IDS, b"subject.requested", before.encode())
    async with member(world, "expansion", "subject.requested", RoundRobinPartitionAssignor):
        assert await provision(world.access, world.factory) == []
    assert await topic_ids(world.access, world.factory) == known


async def test_create_raises_partitions_and_starts_every_group_in_them(world: KafkaWorld) -> None:
    planned = await create(world.access, world.factory, partitions=12, dry_run=True)
    assert len(await world.ends("problem.requested")) == 8, "a dry run changed something"
    async with member(world, "problem_writer", "problem.requested", RoundRobinPartitionAssignor):
        created = await create(world.access, world.factory, partitions=12)
    assert planned.raised == created.raised
    assert created.raised.keys() >= {"problem.requested", "solution.checked", "dead-letters"}
    assert planned.kept == created.kept == {"problem.verified": 8, "evidence.given": 8, "panel-cases-changelog": 8}
    assert {len(await world.ends(name)) for name in created.raised} == {12}
    assert (await check(world.access, world.factory)).problems == ()
    fewer = await create(world.access, world.factory, partitions=8)
    assert (fewer.raised, fewer.kept, fewer.starts) == ({}, created.raised, ())


async def test_added_partitions_are_reported_until_their_groups_start(world: KafkaWorld) -> None:
    await world.add_partitions(12, "problem.requested", "dead-letters")
    (problem,) = (await check(world.access, world.factory)).problems
    assert "problem_writer has no offset in partitions that were added" in problem.what
    assert problem.next_step == "chimera kafka create"
    (start,) = (await create(world.access, world.factory)).starts
    assert (start.service, start.at, start.skipped) == ("problem_writer", "beginning", 0)
    assert (await check(world.access, world.factory)).problems == ()


async def test_trimming_keeps_the_last_hours_and_what_is_not_finished(world: KafkaWorld) -> None:
    now_ms = int(time.time() * 1000)
    partition = TopicPartition(kafka_topic(world.factory, "problem.requested"), 0)
    for name in ("problem.requested", "solution.checked", "dead-letters", "planner-state"):
        for hours in (50, 40, 30, 2, 1):
            topic = kafka_topic(world.factory, name)
            await world.raw.send_and_wait(topic, b"{}", b"k", 0, timestamp_ms=now_ms - hours * 3_600_000)
    committer = create_group_consumer(world.access, group(world.factory, "problem_writer"))
    await committer.start()
    committer.assign([partition])
    removed = []
    for finished in (2, 5):
        await committer.commit({partition: finished})
        done = await trim(world.access, world.factory, keep_hours=24)
        removed.append({one.name: one.removed for one in done if one.removed})
    await committer.stop()
    assert removed == [{"problem.requested": 2}, {"problem.requested": 1}]
    assert {len(await world.records(name)) for name in ("solution.checked", "dead-letters", "planner-state")} == {5}


@pytest.mark.parametrize(
    ("from_beginning", "expected", "offset"),
    [
        (False, GroupStart("probe", "problem.accepted", "end", skipped=2, ahead=0), 3),
        (True, GroupStart("probe", "problem.accepted", "beginning", skipped=0, ahead=2), 1),
    ],
)
async def test_a_new_group_starts_where_requested_in_a_trimmed_kafka_topic(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch, from_beginning: bool, expected: GroupStart, offset: int
) -> None:
    factory = f"{world.factory}-{expected.at}"
    with monkeypatch.context() as earlier:
        flow = tuple(replace(one, consumers=()) if one.name == "problem.accepted" else one for one in FLOW)
        for module in (initial_offsets, topics):
            earlier.setattr(module, "FLOW", flow)
        await provision(world.access, factory)
    place = TopicPartition(kafka_topic(factory, "problem.accepted"), 0)
    for _ in range(3):
        await world.raw.send_and_wait(place.topic, b"{}", partition=0)
    async with open_admin(world.access) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=1)})
    planned = await create(world.access, factory, from_beginning=from_beginning, dry_run=True)
    created = await create(world.access, factory, from_beginning=from_beginning)
    assert planned == created
    assert (created.groups, created.starts) == (("probe",), (expected,))
    async with open_admin(world.access) as admin:
        offsets = await committed_offsets(admin, factory, "probe", partitions_of(factory, "problem.accepted", 8))
    assert offsets.pop(place) == offset
    assert set(offsets.values()) == {0}
    assert (await create(world.access, factory)).starts == ()


async def test_groups_that_lost_their_offsets_get_them_again_on_request(world: KafkaWorld) -> None:
    names = {"problem_writer": "problem.requested", "auditor": "solution.checked"}
    places = {name: TopicPartition(kafka_topic(world.factory, topic), 0) for name, topic in names.items()}
    for place in places.values():
        for _ in range(3):
            await world.raw.send_and_wait(place.topic, b"{}", partition=0)
    async with open_admin(world.access) as admin:
        await admin.delete_records({places["problem_writer"]: RecordsToDelete(before_offset=2)})
        await admin._send_request(DeleteGroupsRequest([group(world.factory, name) for name in names]))
    lost = (await check(world.access, world.factory)).problems
    assert {problem.next_step for problem in lost} == {"chimera kafka create --restore-offsets"}
    assert (await create(world.access, world.factory)).starts == (), "offsets were given without a request"
    planned = await create(world.access, world.factory, restore=True, dry_run=True)
    created = await create(world.access, world.factory, restore=True)
    assert (
        set(planned.starts)
        == set(created.starts)
        == {
            GroupStart("problem_writer", "problem.requested", "beginning", skipped=0, ahead=1, restored=True),
            GroupStart("auditor", "solution.checked", "end", skipped=3, ahead=0, restored=True),
        }
    )
    assert (await check(world.access, world.factory)).problems == ()
    assert (await create(world.access, world.factory, restore=True)).starts == ()
    async with open_admin(world.access) as admin:
        resumed = {name: await committed_offsets(admin, world.factory, name, [place]) for name, place in places.items()}
    assert [list(one.values()) for one in resumed.values()] == [[2], [3]]
