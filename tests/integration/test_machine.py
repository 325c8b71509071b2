"""A state machine with one active replica: a decision is published as it was made, by any replica."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from pydantic import BaseModel

from schemas.config.plan import Plan
from schemas.events import Event, PlanAdopted, SubjectRequested, TopicExpanded
from schemas.identity import factory_id
from services.planner.__main__ import load_planner
from services.planner.measured import MeasuredPlanner
from shared.config.followed_file import FollowedFile
from shared.errors import Refusal
from shared.kafka.clients import KafkaError, Producer, TopicPartition
from shared.kafka.codec import unpack
from shared.kafka.names import kafka_topic
from shared.runtime.machine import MachineLoop, Snapshot, read_snapshot
from tests.support.items import plan
from tests.support.kafka_world import BrokenProducer, GatedProducer, KafkaWorld, until

SERVICE = "planner"


class Seen(BaseModel):
    subjects: list[str] = []


class Asker:
    """Asks for more of every subject that it hears of, and says when, so that no two decisions are alike."""

    state_type = Seen

    def start(self, state: Seen | None, now: datetime) -> tuple[Seen, Iterable[Event]]:
        return state or Seen(), []

    def __call__(self, state: Seen, event: Event, now: datetime) -> tuple[Seen, Iterable[Event]]:
        assert isinstance(event, TopicExpanded)
        if event.subject == "bug":
            raise ZeroDivisionError("a bug")
        about = f"decided at {now.isoformat()}"
        requested = SubjectRequested.after(event, SERVICE, plan="test", subject=event.subject, about=about, wanted=1)
        return Seen(subjects=[*state.subjects, event.subject]), [requested]


def expanded(*subjects: str) -> list[TopicExpanded]:
    parent = factory_id("test")
    return [
        TopicExpanded.root(parent, f"expansion/{subject}", plan="test", subject=subject, wanted=1, topics=())
        for subject in subjects
    ]


@asynccontextmanager
async def asking(
    world: KafkaWorld, producer: Producer | None = None
) -> AsyncIterator[tuple[MachineLoop, asyncio.Task[None]]]:
    loops: list[MachineLoop] = []

    def make(producer: Producer) -> MachineLoop:
        loops.append(MachineLoop(Asker(), world.settings(SERVICE), producer))
        return loops[0]

    async with world.running(make, producer) as task:
        yield loops[0], task


async def requested(world: KafkaWorld) -> list[str]:
    return sorted({event.subject for event in await world.events("subject.requested")})


async def snapshot(world: KafkaWorld) -> Snapshot:
    latest = await read_snapshot(world.access, world.factory, "planner-state")
    assert latest
    return latest


def finished(world: KafkaWorld, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_finished() -> bool:
        return await committed(world) == number

    return is_finished


async def committed(world: KafkaWorld) -> int:
    return sum((await world.committed(SERVICE, "topic.expanded")).values())


def outcome(world: KafkaWorld, subjects: list[str]) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return await requested(world) == subjects

    return there


async def test_after_a_kill_before_publishing_the_same_bytes_are_published(
    world: KafkaWorld,
) -> None:
    producer = GatedProducer(world.access, world.factory, "subject.requested")
    async with asking(world, producer) as (_, task):
        await world.publish(expanded("physics", "chemistry", "history"), partition=3)
        await asyncio.wait_for(producer.waiting.wait(), 10)
        decided = unpack((await snapshot(world)).outbox.encode())
        task.cancel()
    assert await requested(world) == []
    assert await committed(world) == 0
    assert decided
    async with asking(world):
        await until(finished(world, 3), "the commit that the killed one did not come to")
        await world.publish(expanded("law"), partition=3)
        await until(outcome(world, ["chemistry", "history", "law", "physics"]), "the decisions of all")
        seen = (await snapshot(world)).state["subjects"]
    assert sorted(seen) == ["chemistry", "history", "law", "physics"]
    published = [record.value for record in await world.records("subject.requested")]
    assert {message.value for message in decided} <= set(published)


async def test_a_decision_refused_by_the_broker_is_published_after_a_restart(
    world: KafkaWorld,
) -> None:
    async with asking(world, BrokenProducer(world.access, world.factory, "subject.requested")) as (_, task):
        await world.publish(expanded("physics"))
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert await committed(world) == 0
    async with asking(world):
        await until(outcome(world, ["physics"]), "the decision")


async def test_invalid_records_and_bugs_become_dead_letters(
    world: KafkaWorld,
) -> None:
    async with asking(world):
        await world.publish(expanded("physics"), partition=0)
        await world.put("topic.expanded", b"physics", b"{", partition=0)
        await world.publish(expanded("bug", "law"), partition=0)
        await until(outcome(world, ["law", "physics"]), "the decisions on the good ones")
    letters = [dict(letter.headers)["chimera-error"] for letter in await world.records("dead-letters")]
    assert sorted(letters) == [b"Invalid", b"ZeroDivisionError"]


async def test_one_replica_works_while_the_other_stands_by_and_takes_over(world: KafkaWorld) -> None:
    async with asking(world) as (first, _), asking(world) as (second, _):
        await world.publish(expanded("physics"))
        await until(outcome(world, ["physics"]), "the decision of one")

        async def both_ready() -> bool:
            return first.why_not_ready() is None and second.why_not_ready() is None

        await until(both_ready, "the readiness of both")
        assert sorted(len(each.consumer.assignment()) > 0 for each in (first, second)) == [False, True]
        worker, heir = (first, second) if first.consumer.assignment() else (second, first)
        worker.stop()

        async def taken_over() -> bool:
            return bool(heir.consumer.assignment())

        await until(taken_over, "the other replica", within_s=5)
        await world.publish(expanded("law"))
        await until(outcome(world, ["law", "physics"]), "the decision of the other")


async def test_a_batch_under_way_is_finished_before_another_replica_takes_over(world: KafkaWorld) -> None:
    producer = GatedProducer(world.access, world.factory, "subject.requested")
    async with asking(world, producer):
        await world.publish(expanded("physics"))
        await asyncio.wait_for(producer.waiting.wait(), 10)
        async with asking(world) as (second, _):
            await asyncio.sleep(4)  # longer than a heartbeat
            assert second.why_not_ready() is not None, "it took over while a batch was under way"
            producer.gate.set()
            await until(outcome(world, ["physics"]), "the one decision")

            async def ready() -> bool:
                return second.why_not_ready() is None

            await until(ready, "the second replica")
    assert len({record.value for record in await world.records("subject.requested")}) == 1


async def test_a_log_that_no_longer_holds_what_comes_next_is_refused_in_words(world: KafkaWorld) -> None:
    async with asking(world):
        await world.publish(expanded("physics"), partition=0)
        await until(outcome(world, ["physics"]), "the decision")
    await world.publish(expanded("law", "history"), partition=0)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    place = TopicPartition(kafka_topic(world.factory, "topic.expanded"), 0)
    await admin.delete_records({place: RecordsToDelete(before_offset=2)})
    await admin.close()
    async with asking(world) as (_, task):
        with pytest.raises(Refusal, match="has no valid offset"):
            await asyncio.wait_for(asyncio.shield(task), 10)


async def test_a_changed_plan_is_adopted_by_the_planner_that_runs(world: KafkaWorld, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    write(path, plan(3, "mathematics"))
    file = FollowedFile(path, partial(load_planner, world.factory), check_interval_s=0)
    machine = MeasuredPlanner(file.value, file.changed)

    async def are_requested(*subjects: str) -> bool:
        return await requested(world) == sorted(subjects)

    async with world.running(
        lambda producer: MachineLoop(machine, world.settings(SERVICE), producer, changed=machine.follow)
    ):
        await until(lambda: are_requested("mathematics"), "the topics of the first plan")
        write(path, plan(6, "mathematics", "physics"))
        await until(lambda: are_requested("mathematics", "physics"), "those of the second")
    adopted = await world.events("plan.adopted")
    assert sorted(event.plan.rows for event in adopted if isinstance(event, PlanAdopted)) == [3, 6]


def write(path: Path, wanted: Plan) -> None:
    (path.parent / "new").write_text(wanted.model_dump_json())
    (path.parent / "new").replace(path)
