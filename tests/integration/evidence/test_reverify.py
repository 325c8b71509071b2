"""Stored items go through a running factory's verifiers again: none is written or solved, also after a kill."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console

from schemas.events import ProblemAccepted, ProblemRejected, ProblemScreened
from services.aggregator.handler import Curate
from services.cli.common.run_config import RunConfig
from services.cli.evidence import feeding
from services.cli.evidence.feeding import FeedState
from services.cli.evidence.reverify import Reverify
from services.cli.evidence.reverify_report import report
from services.cli.evidence.stored_items import Selection
from shared.clock import utc_now
from shared.dataset import Dataset, open_reverifications
from shared.kafka.codec import decode, encode_outputs, tag_of
from shared.runtime.sink import SinkLoop
from tests.support.items import checked, plan
from tests.support.kafka_world import KafkaWorld, until

WANTED = plan(4).model_copy(update={"in_progress": 2})


def reverify(world: KafkaWorld) -> Reverify:
    config = RunConfig(WANTED, world.folder)
    return Reverify(config, Selection(), "one", Console(quiet=True), compare=False, factory=world.factory)


async def execute(world: KafkaWorld) -> FeedState:
    work = reverify(world)
    state, _ = await work.execute(world.kafka, await asyncio.to_thread(work.waiting, None))
    return state


@asynccontextmanager
async def verifiers(world: KafkaWorld, most: int) -> AsyncIterator[list[str]]:
    """End up to `most` items as verifiers, panel and runtime would: every second one is rejected."""
    judged, ended = list[str](), asyncio.Event()

    async def work() -> None:
        while not ended.is_set():
            for record in await world.records(ProblemScreened.type):
                event = decode(ProblemScreened.type, record.key, record.value, record.headers)
                assert isinstance(event, ProblemScreened)
                if event.key in judged or len(judged) >= most:
                    continue
                judged.append(event.key)
                item = event.item.with_(tier="verified")
                end: ProblemAccepted | ProblemRejected = ProblemAccepted.of(event, "panel", item)
                if event.item.id.int % 2:
                    end = ProblemRejected.of(event, "panel", item, reason="key_disputed", detail="Two rivals.")
                for message in encode_outputs([end], f"{world.factory}/panel", tag_of(record.headers)):
                    await world.put(message.name, message.key, message.value, message.headers)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(work())
    yield judged
    ended.set()
    await task


async def test_a_killed_reverify_resumes_and_writes_and_solves_nothing(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    folder = world.folder / "dataset"
    sink = Curate(folder, world.factory, WANTED, utc_now, lambda _: None)
    settings = world.settings("aggregator", batch_s=0.01)

    async def are_rows_there() -> bool:
        return Dataset.exists(folder) and len(Dataset.open(folder).rows) == 6

    async def is_published() -> bool:
        return await world.is_caught_up("aggregator")

    async def is_half_done() -> bool:
        table = open_reverifications(folder)
        return table is not None and len(table) == 3

    async with world.running(lambda made: SinkLoop(sink, settings, made)):
        await world.publish([checked(number) for number in range(6)])
        await until(are_rows_there, "six rows")
        await until(is_published, "the publication of the rows")
        before = await world.records_by_topic()
        async with verifiers(world, most=3) as half:
            killed = asyncio.create_task(execute(world))
            await until(is_half_done, "three ends")
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
        async with verifiers(world, most=6) as judged:
            state = await execute(world)
        sent = Counter(record.key for record in await world.records(ProblemScreened.type))
        await until(is_published, "the publication of what followed")
        after = await world.records_by_topic()
    assert (len(state.ended), len(judged), len(sent)) == (3, 6, 6)
    assert {sent[key.encode()] for key in half} == {1}
    changed = {name for name in after if after[name] != before[name]}
    released = {"dataset.released", "belief.estimated"}
    assert changed <= {"problem.screened", "problem.reverified", "sample.curated"} | released
    found = report(folder, "one")
    assert found
    assert (found.items, found.kept + found.lost) == (6, 6)
    admissions = Dataset.open(folder).rows.counts("admission")
    assert admissions[("aside",)] == found.lost
    assert admissions[("in",)] == min(4, found.kept)
    assert (await execute(world)).total == 0
