"""Reading the log: a reader that is cancelled closes its connections."""

import asyncio
import gc

from schemas.events import ProblemRequested
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
