"""The panel as it is deployed: two verdicts become one decision, once for ever."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import islice
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.audit_tag import AuditTag
from schemas.belief import BeliefEstimate
from schemas.config.policies import Solving, Verification
from schemas.events import BeliefEstimated, Event, ProblemProbed, ProblemVerified, SolutionSynthesized
from services.cli.run.quiescence import is_drained
from services.panel.criteria import ENOUGH_ITEMS, LatestEstimate
from services.panel.estimates import estimates_keeper
from services.panel.handler import JoinVerdicts
from services.probe.handler import ProbeDifficulty
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.kafka.clients import KafkaError, Producer
from shared.kafka.codec import Message, encode
from shared.kafka.faust.loop import FaustLoop
from shared.kafka.names import kafka_topic
from shared.ports import Join
from shared.runtime.service import Handler
from shared.runtime.stateless import StatelessLoop
from shared.stats.belief_model import Parameters
from shared.telemetry.metrics import SUPERSEDED
from tests.integration.throwaway import panel as deadly
from tests.support.items import attempt, item, plan, verdict
from tests.support.kafka_world import BrokenProducer, GatedProducer, KafkaWorld, OsProcess, until

SERVICE = "panel"
PANEL = JoinVerdicts(tiers={"verified"})
A, B = "verifier-a", "verifier-b"


def verified(number: int, role: str, problem_hash: str = "h", **points: bool) -> ProblemVerified:
    made, requested = item(number)
    fresh = made.with_(verdicts=(), attempts=(), tier=None)
    output = verdict(role, **points)
    output = output.with_(problem_hash=problem_hash, votes=output.votes[1:])  # the hit alone
    return ProblemVerified.of(requested, role, fresh, verdict=output)


@asynccontextmanager
async def panel(world: KafkaWorld) -> AsyncIterator[OsProcess]:
    file = world.folder / "plan.json"  # YAML too
    with_probe = plan().model_copy(update={"solving": Solving(probe_attempts=1)})
    file.write_text(json.dumps(with_probe.model_dump(mode="json")))
    async with world.process("services.panel", SERVICE, plan=file) as process:
        yield process


@asynccontextmanager
async def joining(
    world: KafkaWorld, producer: Producer | None = None, join: Join = PANEL
) -> AsyncIterator[asyncio.Task[None]]:
    async with world.running(lambda made: FaustLoop(join, world.settings(SERVICE), made), producer) as task:
        yield task


def count(world: KafkaWorld, name: str, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_there() -> bool:
        return len(await world.records(name)) == number

    return is_there


def committed(world: KafkaWorld, number: int) -> Callable[[], Awaitable[bool]]:
    async def is_committed() -> bool:
        return sum((await world.committed(SERVICE, "problem.verified")).values()) == number

    return is_committed


async def test_the_panel_fetches_no_partition_of_its_own_changelog(world: KafkaWorld) -> None:
    loops: list[FaustLoop] = []

    def make(producer: Producer) -> FaustLoop:
        loops.append(FaustLoop(PANEL, world.settings(SERVICE), producer))
        return loops[0]

    async with world.running(make):
        for number in (1, 2):  # the second is fetched after the first has been written to the changelog
            await world.publish([verified(number, A), verified(number, B)])
            await until(committed(world, 2 * number), "the join")
        consumer = loops[0]._consumer._thread._consumer
        assert consumer
        buffered = {partition.topic for partition in consumer._fetcher._records}
        changelog = {partition for partition in consumer.assignment() if partition.topic.endswith("-changelog")}
    assert len(await table(world)) == 2
    assert (buffered, consumer.paused()) == (set(), changelog)


async def table(world: KafkaWorld) -> dict[bytes, bytes]:
    """What a panel finds in its table when it starts."""
    return {record.key: record.value for record in await world.records("panel-cases-changelog")}


async def killed(world: KafkaWorld, when: str, *tiers: str) -> None:
    """A panel that is killed right `before` or `after` it publishes its first decision."""
    panel = await asyncio.create_subprocess_exec(
        sys.executable, "-m", deadly.__name__, when, *tiers, env=world.env(SERVICE)
    )
    assert await asyncio.wait_for(panel.wait(), 30) == -signal.SIGKILL


async def test_verdicts_before_and_after_a_kill_are_joined_once(world: KafkaWorld) -> None:
    await world.publish([verified(1, A), verified(2, B), verified(3, A)])
    async with panel(world) as process:
        await until(committed(world, 3), "the first verdicts, from the offsets that the group was given")
        process.send(signal.SIGKILL)
        await process.end()
    assert await world.records("problem.accepted") == []
    await world.publish([verified(1, B), verified(2, A), verified(3, B, correct=False)])
    async with panel(world) as process:
        await process.ready()
        await until(count(world, "problem.accepted", 2), "the decisions of the next process")
        await until(count(world, "problem.rejected", 1), "the rejection")
        # the same verdict again, and another one of the same role, which comes too late
        await world.publish([verified(1, A), verified(1, B, correct=False), verified(3, B)])
        await until(committed(world, 9), "the repetitions")
        process.send(signal.SIGTERM)
        assert await process.end(within_s=8) == 0
    assert [event.item.tier for event in await world.events("problem.accepted")] == ["verified", "verified"]
    assert len(await world.records("problem.rejected")) == 1


def estimated(release: int, items: int = ENOUGH_ITEMS, **changes: float) -> BeliefEstimated:
    """What a release says, with these parameters."""
    values = Parameters(**changes).values  # type: ignore[arg-type]
    estimate = BeliefEstimate(items=items, parameters=values, cautious=values)
    return BeliefEstimated.root(uuid4(), "aggregator", release, plan="test", release=release, estimate=estimate)


async def test_a_panel_starts_with_the_latest_estimate_and_takes_later_ones(world: KafkaWorld) -> None:
    plan, latest = Verification(target_wrong={"sft": 0.02}, max_votes=2), LatestEstimate()
    async with estimates_keeper(world.settings(SERVICE), plan, latest):
        assert latest.criteria is None
    await world.publish([estimated(1, wrong_keys=0.1), estimated(2, wrong_keys=0.3)])
    await world.publish([estimated(3, ENOUGH_ITEMS - 1, wrong_keys=0.2)])
    await world.put("belief.estimated", b"test", b"{}")
    async with estimates_keeper(world.settings(SERVICE), plan, latest):
        assert latest.criteria is not None
        assert latest.criteria.parameters.wrong_keys == 0.3
        await world.publish([estimated(4, wrong_keys=0.05)])

        async def has_changed() -> bool:
            return latest.criteria is not None and latest.criteria.parameters.wrong_keys == 0.05

        await until(has_changed, "the fourth estimate")
    assert latest.criteria.thresholds.keys() == {"sft", "rl"}


async def test_verdicts_before_and_after_partitions_are_added_are_joined(world: KafkaWorld) -> None:
    for role, at in ((A, 20), (B, 40)):
        producer = Producer(world.access, world.factory)
        await producer.start()
        await producer.publish(encode(verified(number, role), "test") for number in range(20))
        await producer.stop()
        async with joining(world):
            await until(committed(world, at), "the verdicts of one verifier")
        if role == A:
            await world.add_partitions(12, "problem.verified", "problem.accepted")
    assert len(await world.records("problem.accepted")) == 20


async def test_a_decision_survives_a_kill_before_and_after_its_publication(world: KafkaWorld) -> None:
    await world.publish([verified(1, A), verified(1, B)])
    await killed(world, "before", "verified")
    assert await world.records("problem.accepted") == []
    await killed(world, "after")  # like the next, it would reject what it decides itself
    async with joining(world, join=JoinVerdicts(tiers=())):
        await until(committed(world, 2), "the commit by the last")
    first, again = await world.records("problem.accepted")
    assert first.value == again.value
    assert await world.records("problem.rejected") == []


async def test_a_published_decision_leaves_a_small_tombstone_that_never_decides(
    world: KafkaWorld,
) -> None:
    async with joining(world):
        await world.publish(verified(number, role) for number in range(20) for role in (A, B))
        await until(committed(world, 40), "the decisions")
    left = await table(world)
    assert len(left) == 20
    assert max(len(case) for case in left.values()) < 120
    async with joining(world):
        await world.publish([verified(1, B, correct=False), verified(1, A), verified(2, A, problem_hash="another")])
        await until(committed(world, 43), "the repetitions")
    assert await table(world) == left
    assert len(await world.records("problem.accepted")) == 20
    assert await world.records("problem.rejected") == []
    assert await world.records("dead-letters") == []


async def test_of_two_texts_under_one_id_the_first_counts(world: KafkaWorld) -> None:
    """As after a loss of Valkey. Broken records become dead letters meanwhile."""
    dropped = SUPERSEDED.labels(SERVICE, "problem.verified")
    before = dropped._value.get()

    def join(case: bytes | None, event: ProblemVerified) -> tuple[bytes, list[ProblemVerified], bytes]:
        if event.item.id == verified(5, A).item.id:
            raise ZeroDivisionError("a bug")
        return PANEL(case, event)  # type: ignore[return-value]

    async with joining(world, join=join):
        await world.publish([verified(1, A)], partition=2)
        await world.put("problem.verified", b"key", b"{", partition=2)
        await world.publish([verified(2, A), verified(2, B, problem_hash="another"), verified(5, A)], partition=2)
        await world.publish([verified(1, B), verified(2, B)], partition=2)
        await until(count(world, "problem.accepted", 2), "the decisions")
        await until(committed(world, 7), "the commit of all")
    letters = [dict(letter.headers)["chimera-error"] for letter in await world.records("dead-letters")]
    assert letters.count(b"Invalid") == 1
    assert letters.count(b"ZeroDivisionError") == 1
    parked = {event.problem_id for event in await world.events("problem.parked")}
    assert parked == {verified(5, A).item.id}
    assert dropped._value.get() == before + 1


async def test_offsets_are_committed_only_after_the_decision_is_acknowledged(
    world: KafkaWorld,
) -> None:
    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    await world.publish([verified(1, A), verified(1, B)])
    async with joining(world, gated):
        await asyncio.wait_for(gated.waiting.wait(), 20)
        await asyncio.sleep(1.5)  # several commit intervals
        assert await committed(world, 1)()
        gated.gate.set()
        await until(committed(world, 2), "the commit after the acknowledgement")
    await world.publish([verified(2, A), verified(2, B)])
    async with joining(world, BrokenProducer(world.access, world.factory, "problem.accepted")) as task:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert await committed(world, 3)()
    async with joining(world):
        await until(committed(world, 4), "the commit by the next")
    assert len({event.id for event in await world.events("problem.accepted")}) == 2


async def test_problems_are_decided_side_by_side_and_each_in_order(world: KafkaWorld) -> None:
    async def decided() -> bool:
        return sum(b'"accepted":{' in state for state in (await table(world)).values()) == 2

    gated = GatedProducer(world.access, world.factory, "problem.accepted")
    events = [verified(1, A), verified(1, B), verified(2, A), verified(2, B), verified(1, A)]
    await world.publish(events, partition=2)
    async with joining(world, gated):
        await until(decided, "the states of both while no decision is published")
        await asyncio.sleep(1.5)  # several commit intervals
        assert await committed(world, 1)()
        gated.gate.set()
        await until(committed(world, 5), "the commit of all")
    assert len(await world.records("problem.accepted")) == 2


async def test_nothing_is_decided_or_committed_when_the_broker_refuses_the_case(world: KafkaWorld) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    changelog = kafka_topic(world.factory, "panel-cases-changelog")
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, changelog, {"max.message.bytes": "100"})])
    await admin.close()
    await world.publish([verified(1, A), verified(1, B)])
    async with joining(world) as task:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert await committed(world, 0)()
    assert await world.records("problem.accepted") == []


class LastProducer(Producer):
    """A real producer that fails after the first decision is on the log."""

    async def publish(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        await super().publish(messages)
        if messages:
            raise KafkaError("gone")


async def test_a_plan_that_adds_or_drops_the_probe_gives_one_solution_each(world: KafkaWorld) -> None:
    tag, numbers = AuditTag(kind="sign", source=uuid4()), iter(range(70))

    async def decide(number: int, *, first: bool, then: bool) -> None:
        """A panel with or without a probe fails after its first decision; one with the other plan takes over."""
        for index in islice(numbers, number):
            for event in (verified(index, A), verified(index, B)):
                message = encode(event, "test", tag if index % 10 == 0 else None)
                await world.put(message.name, message.key, message.value, message.headers)
        async with joining(world, LastProducer(world.access, world.factory), replace(PANEL, to_probe=first)) as task:
            with pytest.raises(KafkaError):
                await asyncio.wait_for(asyncio.shield(task), 60)
        async with joining(world, join=replace(PANEL, to_probe=then)):
            await until(lambda: is_drained(world.access, world.factory, {SERVICE}), "all decisions")

    async def solve(event: ProblemProbed) -> Iterable[Event]:
        return [SolutionSynthesized.of(event, "synthesis", event.item, attempt=attempt())]

    await decide(50, first=False, then=True)
    await decide(10, first=True, then=False)
    await decide(10, first=False, then=True)
    assert len({event.item.id for event in await world.events("problem.accepted")}) >= 50
    handlers: dict[str, Handler] = {
        "probe": ProbeDifficulty(None, standard(SymbolicWorker()), 0, 1.0),
        "synthesis": solve,
    }
    async with AsyncExitStack() as running:
        for service, handle in handlers.items():
            settings = world.settings(service)
            outcomes = world.outcomes(settings)
            await running.enter_async_context(
                world.running(lambda made, h=handle, s=settings, o=outcomes: StatelessLoop(h, s, made, o))  # type: ignore[misc]
            )
        await until(lambda: is_drained(world.access, world.factory, handlers), "all solutions")
    audited = {verified(index, A).item.id for index in range(0, 70, 10)}
    ordinary = {verified(index, A).item.id for index in range(70)} - audited
    assert Counter(event.item.id for event in await world.events("solution.synthesized")) == Counter(ordinary)
    assert {event.item.id for event in await world.events("audit.judged")} == audited
    assert len({event.id for event in await world.events("audit.judged")}) == len(audited)
