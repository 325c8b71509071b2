"""Reading the log: a reader that is cancelled closes its connections; a person reads the latest events."""

import asyncio
import gc
import json

from typer.testing import CliRunner

from schemas.events import ProblemRequested
from services.cli.__main__ import app
from shared.kafka.read.records import partitions_in_use, read_records
from tests.support.kafka_world import KafkaWorld


async def test_a_read_cancelled_at_any_moment_leaves_nothing_open(world: KafkaWorld) -> None:
    async def read() -> None:
        partitions = await partitions_in_use(world.access, world.factory, [ProblemRequested.type])
        async for _ in read_records(world.access, partitions):
            pass

    await world.publish(world.requests(3))
    for milliseconds in range(0, 60, 2):
        reading = asyncio.create_task(read())
        await asyncio.sleep(milliseconds / 1000)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    gc.collect()  # a client that was not closed warns when it is collected, and pytest fails the test


async def test_the_latest_events_of_a_type_are_printed(world: KafkaWorld) -> None:
    async def show(event: str) -> tuple[int, str]:
        command = ["kafka", "show", event, "--limit", "2", "--bootstrap", world.kafka, "--factory", world.factory]
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        return done.exit_code, done.output

    requests = world.requests(5)
    await world.publish(requests, partition=3)
    status, output = await show(ProblemRequested.type)
    assert (status, [json.loads(line)["id"] for line in output.splitlines()]) == (
        0,
        [str(one.id) for one in requests[3:]],
    )
    assert await show("problem.parked") == (0, "")
    status, output = await show("problem.lost")
    assert (status, "there is no event 'problem.lost'" in output) == (1, True)
