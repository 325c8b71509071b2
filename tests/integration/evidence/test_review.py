"""Decisions of people go through a running factory once, also after a kill between a decision and what follows."""

import asyncio
from typing import Any

from rich.console import Console

from schemas.events import SolutionChecked, SolutionRequested
from services.aggregator.handler import Curate
from services.cli.common.run_config import RunConfig
from services.cli.evidence import feeding
from services.cli.review.apply import Review
from services.cli.review.decisions import Decision
from shared.clock import utc_now
from shared.dataset import Dataset, open_reviews
from shared.runtime.sink import SinkLoop
from tests.support.items import attempt, checked, item, plan, rejected
from tests.support.kafka_world import KafkaWorld, until

WANTED = plan(4).model_copy(update={"in_progress": 1})
ROW, REJECT = (str(item(number)[0].id) for number in (0, 7))
DECISIONS = [Decision(REJECT, "accept", "Ada", "checked by hand"), Decision(ROW, "reject", "Ada", "a slip")]


def review(world: KafkaWorld) -> Review:
    return Review(RunConfig(WANTED, world.folder), DECISIONS, Console(quiet=True), world.factory)


async def execute(world: KafkaWorld) -> feeding.FeedState:
    state, _ = await (await asyncio.to_thread(review, world)).execute(world.kafka)
    return state


async def solve(world: KafkaWorld) -> None:
    """End the requested solutions, as the services would."""
    ended = set[str]()
    while True:
        for event in await world.events(SolutionRequested.type):
            if event.key not in ended:
                ended.add(event.key)
                solved = event.item.with_(attempts=(attempt(),))
                await world.publish([SolutionChecked.of(event, "answer_checker", solved, final=True)])
        await asyncio.sleep(0.1)


async def test_a_killed_review_resumes_with_what_follows_from_it(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    folder = world.folder / "dataset"
    sink = Curate(folder, world.factory, WANTED, utc_now, lambda _: None)

    async def is_there(rows: int, reviews: int) -> bool:
        decided = open_reviews(folder) if Dataset.exists(folder) else None
        return decided is not None and (len(Dataset.open(folder).rows), len(decided)) == (rows, reviews)

    async with world.running(lambda made: SinkLoop(sink, world.settings("aggregator", batch_s=0.01), made)):
        await world.publish([checked(0), checked(1), rejected(7, "unsolved")])
        await until(lambda: is_there(2, 0), "two rows")
        killed = asyncio.create_task(execute(world))
        await until(lambda: is_there(2, 1), "the first decision")
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        solving = asyncio.create_task(solve(world))
        state = await execute(world)
        solving.cancel()
        await asyncio.gather(solving, return_exceptions=True)
        assert await is_there(3, 2)
    rows = {row.id: (row.admission, row.tier) for row in Dataset.open(folder).rows}
    assert rows.pop(ROW) == ("aside", "disputed")
    assert sorted(rows.values()) == [("in", "reviewed"), ("in", "verified")]
    assert len(state.ended) == 3
    assert (await asyncio.to_thread(review, world)).planned == []
