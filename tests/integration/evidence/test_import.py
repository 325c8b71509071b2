"""Problems of a file go through a running factory: a limited number at a time, once each, also after a kill."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from schemas.events import Event, ProblemDrafted, ProblemRejected, SolutionChecked
from services.aggregator.handler import Curate
from services.cli.common.run_config import RunConfig
from services.cli.evidence import feeding
from services.cli.evidence.import_file import ImportFile, ImportOptions
from services.cli.evidence.import_problems import Import, ImportSummary
from shared.clock import utc_now
from shared.dataset import Dataset
from shared.errors import OverBudget
from shared.kafka.dlq.dead_letter import Failure, to_record
from shared.kafka.read.tail import tail
from shared.runtime.sink import SinkLoop
from tests.support.items import attempt, plan, verdict
from tests.support.kafka_world import KafkaWorld, until

WANTED = plan(4).model_copy(update={"in_progress": 2})
NUMBERS = ("one", "two", "three", "four", "five", "six")


def import_of(world: KafkaWorld, *, counts: bool = False) -> Import:
    path = world.folder / "own.jsonl"
    records = [
        {"problem": f"How many spaces have the property with the name {name}, up to isometry?", "answer": "42"}
        | {"subject": "mathematics", "topic": "spaces"}
        for name in NUMBERS
    ]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in (*records, records[0])))
    options = ImportOptions(WANTED, world.factory, counts=counts)
    return Import(RunConfig(WANTED, world.folder), ImportFile.open(path, {}), options, Console(quiet=True))


async def execute(world: KafkaWorld, *, counts: bool = False) -> ImportSummary:
    work = import_of(world, counts=counts)
    return await work.execute(world.kafka, await asyncio.to_thread(work.scan))


def end_of(event: ProblemDrafted) -> Event:
    """End a problem as the services would: the one named `two` is rejected, others become rows."""
    if "two" in event.item.written.statement:
        return ProblemRejected.of(event, "panel", event.item, reason="unsolved", detail="Nobody hit the key.")
    both = (verdict("verifier-a"), verdict("verifier-b"))
    item = event.item.with_(tier="verified", verdicts=both, attempts=(attempt(),))
    return SolutionChecked.of(event, "answer_checker", item, final=True)


@asynccontextmanager
async def factory(world: KafkaWorld, most: int = 100) -> AsyncIterator[list[ProblemDrafted]]:
    """Run the aggregator, and end up to `most` problems; collect those that were sent."""
    sent: list[ProblemDrafted] = []

    async def work() -> None:
        async for event in tail(world.access, world.factory, [ProblemDrafted.type]):
            if isinstance(event, ProblemDrafted):
                sent.append(event)
                if len(sent) <= most:
                    await world.publish([end_of(event)])

    sink = Curate(world.folder / "dataset", world.factory, WANTED, utc_now, lambda _: None)
    settings = world.settings("aggregator", batch_s=0.01)
    async with world.running(lambda made: SinkLoop(sink, settings, made)):
        task = asyncio.create_task(work())
        yield sent
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def report(world: KafkaWorld) -> list[dict[str, Any]]:
    [path] = (world.folder / "imports").iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_killed_import_resumes_and_sends_no_ended_problem_again(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    folder = world.folder / "dataset"
    async with factory(world, most=3) as sent:
        killed = asyncio.create_task(execute(world))

        async def is_half_done() -> bool:
            return _ended(folder) == 3 and len(sent) == 5

        await until(is_half_done, "three ends")
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        assert len(sent) - _ended(folder) == WANTED.in_progress
        ended = {event.item.id for event in sent[:3]}
    async with factory(world) as sent:
        summary = await execute(world)
        times = Counter(event.item.id for event in sent)
    assert len(times) == 6
    assert {times[id_] for id_ in ended} == {1}
    assert summary.records == 7 == len(report(world))
    assert (summary.refused, summary.earlier, summary.left, summary.parked) == ({"repeat": 1}, 3, 0, 0)
    assert sum(summary.ended.values()) == 3
    rows = list(Dataset.open(folder).rows)
    assert [(row.admission, row.views) for row in rows] == [("aside", ("imported", "imported_rl"))] * 5
    assert sorted(line["end"] for line in report(world)) == ["imported, imported_rl"] * 5 + ["refused", "rejected"]
    assert (await execute(world)).earlier == 6


async def test_imported_rows_that_count_fill_the_plan(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    async with factory(world):
        summary = await execute(world, counts=True)
    assert summary.outcome == "done"
    assert Dataset.open(world.folder / "dataset").rows.counts("admission") == {("in",): 4, ("reserve",): 1}


async def test_when_the_budget_allows_no_call_no_further_problem_is_sent(world: KafkaWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeding, "POLL_S", 0.1)
    monkeypatch.setattr(feeding, "LETTERS_EVERY_S", 0.2)
    async with factory(world, most=0) as sent:
        running = asyncio.create_task(execute(world))

        async def are_two_sent() -> bool:
            return len(sent) == 2

        await until(are_two_sent, "two problems")
        for record in await world.records(ProblemDrafted.type):
            failure = Failure(world.factory, "screening", OverBudget("1 of 1 tokens spent"), 1)
            for message in to_record(ProblemDrafted.type, record, failure):
                await world.put(message.name, message.key, message.value, message.headers)
        summary = await running
    assert (summary.outcome, summary.parked, summary.left) == ("budget", 2, 4)
    assert len(sent) == 2


def _ended(folder: Path) -> int:
    if not Dataset.exists(folder):
        return 0
    dataset = Dataset.open(folder)
    return len(dataset.rows) + len(dataset.ledger)
