"""The aggregator as a process: two by mistake, and one whose store is gone."""

import asyncio
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from socket import gethostname

import pytest

from deploy.local.ports import Ports
from services.planner import plans
from shared.dataset import Dataset
from shared.dataset.storage import Location
from tests.support.items import checked
from tests.support.kafka_world import KafkaWorld, OsProcess, until
from tests.support.s3_store import SECRET, WHERE, environment, store

PLAN = Path(plans.__path__[0]) / "demo.yaml"


def assigned(process: OsProcess) -> str:
    """Its last log line about its assignment."""
    return [line["message"] for line in process.log() if line["message"].startswith("assigned ")][-1]


async def rows(folder: Location, number: int) -> bool:
    return Dataset.exists(folder) and len(Dataset.open(folder).rows) == number


async def test_the_standby_names_the_active_replica_and_takes_over_after_a_kill(world: KafkaWorld) -> None:
    folder = world.folder / "dataset"
    started = partial(world.process, "services.aggregator", "aggregator", plan=PLAN, dataset=folder)
    async with started() as one, started() as another:
        await asyncio.gather(one.ready(), another.ready())

        async def settled() -> bool:
            return sorted("standing by" in assigned(each) for each in (one, another)) == [False, True]

        await until(settled, "one at work")
        worker, heir = (another, one) if "standing by" in assigned(one) else (one, another)
        assert assigned(heir).endswith(f"standing by: process {worker.pid} on {gethostname()} works")
        await world.publish(checked(number) for number in range(4))
        await until(lambda: rows(folder, 4), "four rows")
        worker.send(signal.SIGKILL)
        await world.publish(checked(number) for number in range(3, 8))
        await until(lambda: rows(folder, 8), "the rows of the heir")
    assert Counter(row.id for row in Dataset.open(folder).rows) == Counter(str(checked(n).item.id) for n in range(8))


async def test_an_unreachable_store_is_awaited_and_does_not_delay_a_stop(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = Ports({}).take("store")
    for name, value in environment(port).items():
        monkeypatch.setenv(name, value)
    async with world.process("services.aggregator", "aggregator", plan=PLAN, dataset=WHERE) as process:
        waits, refuses = "cannot take over yet, retrying: cannot open rows: ", "cannot write the table: "
        await until(lambda: reported(process, waits, "error sending request"), "the wait")
        assert await process.readyz() == 503
        async with store(world.folder, port):
            await world.publish(checked(number) for number in range(3))
            await until(lambda: rows(WHERE, 3), "three rows")
        await world.publish([checked(3)])
        await until(lambda: reported(process, refuses, "error sending request"), "the wait for it to come back")
        process.send(signal.SIGTERM)
        assert await process.end() == 0
        assert SECRET not in str(process.log())


async def reported(process: OsProcess, begin: str, end: str) -> bool:
    """Whether a line of its log begins and ends about so; it must still run."""
    lines = process.log()
    return await process.output(begin) and any(begin in one["message"] and end in one["message"] for one in lines)
