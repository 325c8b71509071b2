"""Stored problems go through a running factory's solver again: nothing is written or verified, also after a kill."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from rich.console import Console

from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.config.policies import Solving
from services.aggregator.handler import Curate
from services.answer_checker.handler import CheckAnswer
from services.cli.common.run_config import RunConfig
from services.cli.evidence import feeding
from services.cli.evidence.stored_items import Selection
from services.cli.resolve.report import report
from services.cli.resolve.resolve import Resolve
from services.simulator.api.server import serve
from services.simulator.settings import Settings as SimulatorSettings
from services.synthesis.__main__ import build_handler
from shared.answers.grade import Graders
from shared.clock import utc_now
from shared.dataset import Dataset, open_resolutions
from shared.llm import Models
from shared.runtime.sink import SinkLoop
from shared.runtime.stateless import StatelessLoop
from tests.support.items import plan
from tests.support.kafka_world import KafkaWorld, until
from tests.support.verification_sim import known_rows

ROWS = 6
WANTED = plan(ROWS).model_copy(update={"in_progress": 2, "solving": Solving(choose="newest_correct", retries=2)})
OTHERS = {
    *("problem.resolved", "solution.requested", "solution.synthesized"),
    *("sample.curated", "dataset.released", "belief.estimated"),
}


def resolve(world: KafkaWorld) -> Resolve:
    return Resolve(RunConfig(WANTED, world.folder), Selection(), "one", Console(quiet=True), factory=world.factory)


async def execute(world: KafkaWorld) -> feeding.FeedState:
    work = resolve(world)
    state, _ = await work.execute(world.kafka, await asyncio.to_thread(work.waiting, None))
    return state


@asynccontextmanager
async def solver(world: KafkaWorld, url: str) -> AsyncIterator[None]:
    """Run synthesis and answer_checker with the models of an endpoint."""
    models = Models(ModelsConfig.one(Endpoint(base_url=url, simulated=True), "sim-solver"), "synthesis")
    handlers = {"synthesis": build_handler(models), "answer_checker": CheckAnswer(Graders(), traces=1, retries=2)}
    async with AsyncExitStack() as stack:
        for service, handler in handlers.items():
            settings = world.settings(service)
            loop = lambda made, h=handler, s=settings: StatelessLoop(h, s, made, world.outcomes(s))  # noqa: E731
            await stack.enter_async_context(world.running(loop))
        yield
    await models.aclose()


async def test_a_killed_resolve_resumes_and_only_the_solver_is_called(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    folder, file = world.folder / "dataset", world.folder / "calls"
    sink = Curate(folder, world.factory, WANTED, utc_now, lambda _: None)
    settings = world.settings("aggregator", batch_s=0.01)

    async def are_rows_there() -> bool:
        return Dataset.exists(folder) and len(Dataset.open(folder).rows) == ROWS

    async def is_published() -> bool:
        return await world.is_caught_up("aggregator")

    async def is_half_done() -> bool:
        table = open_resolutions(folder)
        return table is not None and len(table) >= 2

    async with (
        serve(SimulatorSettings(port=0, call_log=file)) as url,
        world.running(lambda made: SinkLoop(sink, settings, made)),
        solver(world, url),
    ):
        await world.publish(known_rows(ROWS))
        await until(are_rows_there, "the rows")
        await until(is_published, "the publication of the rows")
        before = await world.records_by_topic()
        killed = asyncio.create_task(execute(world))
        await until(is_half_done, "two ends")
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        state = await execute(world)
        await until(is_published, "the publication of what followed")
        after = await world.records_by_topic()
    calls = [json.loads(line) for line in file.read_text().splitlines()]
    assert {call["model"] for call in calls} == {"sim-solver"}
    assert set(Counter(call["request"] for call in calls).values()) == {1}
    assert len(state.ended) == state.total <= ROWS - 2
    assert {name for name in after if after[name] != before[name]} == OTHERS
    found = report(folder, "one")
    assert found
    assert (found.rows, found.hits + found.misses + found.unknown) == (ROWS, ROWS)
    assert (found.hits_before, found.difference) == (0, found.hits / found.paired)
    table = list(Dataset.open(folder).rows)
    sound = [row for row in table if row.correct and not row.flaws]
    assert found.entered_in == len(sound) == sum(row.admission == "in" for row in table) > 0
    assert all(json.loads(row.attempts)[0]["agrees"] == "no" for row in table)
    assert (await execute(world)).total == 0
