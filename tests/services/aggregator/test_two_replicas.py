"""Two concurrent aggregators, one of them late: no row is lost, doubled or restored."""

import asyncio
import signal
from collections import Counter
from functools import partial
from pathlib import Path

from schemas.flow import consumed_by
from services.cli.common import models_config
from shared.dataset import Dataset
from tests.services.aggregator.test_aggregator import admissions, opened
from tests.support.items import checked, deleted, plan, record
from tests.support.kafka_world import KafkaWorld, OsProcess, until

SESSION_S = 6
PARTITIONS = sum(flow.partitions for flow in consumed_by("aggregator"))


def statements(folder: Path) -> Counter[str]:
    return Counter(row.problem for row in Dataset.open(folder).rows)


async def test_a_delete_between_read_and_append_frees_a_place_and_is_not_undone(tmp_path: Path) -> None:
    late, other = await opened(tmp_path, plan(2)), await opened(tmp_path, plan(2))
    await late.write([record(checked(0), 0), record(checked(1), 1)])
    await other.write([record(deleted(checked(0)), 0)])
    await late.write([record(checked(0), 2), record(checked(2), 3), record(checked(3), 4)])
    assert statements(tmp_path) == {"What is 1?": 1, "What is 2?": 1, "What is 3?": 1}
    assert admissions(tmp_path) == {"in": 2, "reserve": 1}


async def test_a_row_deleted_before_it_arrives_is_not_added_by_a_stale_writer(tmp_path: Path) -> None:
    late, other = await opened(tmp_path, plan(2)), await opened(tmp_path, plan(2))
    await other.write([record(deleted(checked(0)), 0)])
    await late.write([record(checked(0), 0), record(checked(1), 1)])
    assert statements(tmp_path) == {"What is 1?": 1}


async def test_a_frozen_aggregator_that_resumes_changes_nothing(
    world: KafkaWorld,
) -> None:
    """Frozen under load, at any moment of a batch, twice."""
    folder = world.folder / "dataset"
    models_config.write(world.folder, plan(60, every=20, train=30), models_config.simulated(0))
    numbers = iter(range(200))

    async def publish(count: int) -> None:
        for _ in range(count):
            await world.publish([checked(next(numbers))])

    async def has(rows: int) -> bool:
        return len(Dataset.open(folder).rows) >= rows

    place = {"dataset": folder, "plan": world.folder / "plan.yaml", "session_s": SESSION_S, "batch_s": 0.02}
    async with (
        world.process("services.aggregator", "aggregator", **place) as one,
        world.process("services.aggregator", "aggregator", **place) as other,
    ):
        await asyncio.gather(one.ready(), other.ready())
        for _ in range(2):
            await until(lambda: settled(one, other), "one that works and one that stands by")
            frozen = one if await one.owns_everything(PARTITIONS) else other
            before = len(statements(folder))
            sending = asyncio.create_task(publish(40))
            await until(partial(has, before + 10), "rows by who is to be frozen")
            frozen.send(signal.SIGSTOP)
            await sending
            await publish(20)
            await until(partial(has, before + 60), "the rows of the heir")
            frozen.send(signal.SIGCONT)
        await publish(20)
        await until(lambda: has(140), "the last rows")
        await asyncio.gather(*map(stopped, (one, other)))
    assert statements(folder) == {f"What is {number}?": 1 for number in range(140)}
    assert admissions(folder) == {"in": 60, "reserve": 80}
    output = await world.events("sample.curated")
    assert {event.key for event in output} == {row.id for row in Dataset.open(folder).rows}
    for name in ("dataset.released", "training.triggered"):
        ids = {(event.release, event.id) for event in await world.events(name)}
        assert len(ids) == len({release for release, _ in ids}) > 0
    assert max(event.rows for event in await world.events("dataset.released")) == 60


async def settled(one: OsProcess, other: OsProcess) -> bool:
    return await one.owns_everything(PARTITIONS) != await other.owns_everything(PARTITIONS)


async def stopped(process: OsProcess) -> None:
    process.send(signal.SIGTERM)
    assert await process.end() == 0
