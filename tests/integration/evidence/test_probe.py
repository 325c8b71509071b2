"""Stored problems go through a running factory's probe again, for another model: only that model is called."""

import asyncio
import json
from collections import Counter
from typing import Any

from rich.console import Console

from schemas.config.models_config import Endpoint, ModelsConfig
from services.aggregator.handler import Curate
from services.cli.common.run_config import RunConfig
from services.cli.evidence import feeding
from services.cli.evidence.stored_items import Selection
from services.cli.probe.reprobe import Reprobe, report, with_attempts
from services.probe.__main__ import build_handler
from services.simulator.api.server import serve
from services.simulator.settings import Settings as SimulatorSettings
from shared.answers.grade import Graders
from shared.clock import utc_now
from shared.dataset import Dataset, open_probings
from shared.llm import Models
from shared.runtime.sink import SinkLoop
from shared.runtime.stateless import StatelessLoop
from tests.support.items import plan
from tests.support.kafka_world import KafkaWorld, until
from tests.support.verification_sim import known_rows

ROWS, ATTEMPTS = 6, 2
WANTED = with_attempts(plan(ROWS).model_copy(update={"in_progress": 2}), ATTEMPTS)
OTHERS = {"problem.accepted", "problem.reprobed", "sample.curated"}


async def execute(world: KafkaWorld) -> feeding.FeedState:
    config, console = RunConfig(WANTED, world.folder), Console(quiet=True)
    work = Reprobe(config, Selection(), "one", console, factory=world.factory, leaves=["rl"])
    state, _ = await work.execute(world.kafka, await asyncio.to_thread(work.waiting, None))
    return state


async def test_a_killed_probe_resumes_and_only_the_base_model_is_called(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    folder, file = world.folder / "dataset", world.folder / "calls"
    sink = Curate(folder, world.factory, WANTED, utc_now, lambda _: None)
    settings = world.settings("probe")

    async def are_rows_there() -> bool:
        return Dataset.exists(folder) and len(Dataset.open(folder).rows) == ROWS

    async def is_published() -> bool:
        return await world.is_caught_up("aggregator")

    async def is_half_done() -> bool:
        table = open_probings(folder)
        return table is not None and len(table) >= 2

    async with serve(SimulatorSettings(port=0, call_log=file)) as url:
        models = Models(ModelsConfig.one(Endpoint(base_url=url, simulated=True), "sim-all"), "probe")
        handler = build_handler(models, Graders(), WANTED.solving)
        async with (
            world.running(lambda made: SinkLoop(sink, world.settings("aggregator", batch_s=0.01), made)),
            world.running(lambda made: StatelessLoop(handler, settings, made, world.outcomes(settings))),
        ):
            await world.publish(known_rows(ROWS))
            await until(are_rows_there, "the rows")
            await until(is_published, "the publication of the rows")
            before = await world.records_by_topic()
            killed = asyncio.create_task(execute(world))
            await until(is_half_done, "two ends")
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
            await execute(world)
            await until(is_published, "the publication of what followed")
            after = await world.records_by_topic()
        await models.aclose()
    calls = [json.loads(line) for line in file.read_text().splitlines()]
    assert {call["model"] for call in calls} == {"sim-all"}
    assert Counter(Counter(call["request"] for call in calls).values()) == {1: ROWS * ATTEMPTS}
    assert {name for name in after if after[name] != before[name]} == OTHERS
    found = report(folder, "one")
    assert found
    assert (found.rows, found.always + found.sometimes + found.never + found.unknown) == (ROWS, ROWS)
    rows = list(Dataset.open(folder).rows)
    assert Counter(row.difficulty for row in rows)[0.0] == found.always == found.left > 0
    assert all(row.views == (() if row.difficulty == 0 else ("rl",)) for row in rows)
    assert (await execute(world)).total == 0
