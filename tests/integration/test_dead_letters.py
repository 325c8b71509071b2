"""Dead letters through the command line: another try for the one who failed, or an end for the problem."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from typer.testing import CliRunner

from schemas.events import Event, ProblemRequested
from services.cli.__main__ import app
from shared.errors import Invalid
from shared.kafka.dlq.dead_letter import REPLAY_HEADER
from tests.support.kafka_world import KafkaWorld, until
from tests.support.runtime_writer import SERVICE, committed, draft, writer


async def chimera(world: KafkaWorld, *arguments: str) -> Any:
    """What the command prints."""
    line = ["dead-letters", *arguments, "--bootstrap", world.kafka, "--factory", world.factory, "--json"]
    done = await asyncio.to_thread(CliRunner().invoke, app, line)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def test_a_dead_letter_is_replayed_to_its_service_or_ends_its_problem(world: KafkaWorld) -> None:
    kept, lost = requests = world.requests(2)
    tries, broken = Counter[str](), True

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        tries[str(request.id)] += 1
        if broken:
            raise Invalid("the model speaks another language")
        return [draft(request)]

    await world.publish(requests)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: _says(world, "problem.parked", 2), "both problems to be parked")
        letters = {one["problem"]: one["id"] for one in await chimera(world, "list")}
        assert letters.keys() == {str(kept.id), str(lost.id)}
        broken = False
        await chimera(world, "replay", letters[str(kept.id)])
        await until(lambda: _says(world, "problem.drafted", 1), "the draft")
        assert (await chimera(world, "drop", "--all", "--reason", "hopeless"))["dropped"] == [letters[str(lost.id)]]
    (drafted,), (rejected,) = await world.events("problem.drafted"), await world.events("problem.rejected")
    assert (drafted.item.id, rejected.item.id, rejected.reason) == (kept.id, lost.id, "dropped")
    assert "hopeless" in rejected.detail
    assert await chimera(world, "list") == []
    assert {one["settled"] for one in await chimera(world, "list", "--settled")} == {"replayed", "dropped"}
    assert tries == {str(kept.id): 2, str(lost.id): 1}


async def test_a_record_meant_for_another_service_is_passed_over(world: KafkaWorld) -> None:
    reported, others = world.requests(2)
    handled: list[ProblemRequested] = []

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        handled.append(request)
        return []

    await world.publish([others])
    (record,) = await world.records("problem.requested")
    await world.put("problem.requested", record.key, record.value, [*record.headers, (REPLAY_HEADER, b"another")], 0)
    await world.publish([reported], 0)
    async with world.running(writer(world, world.settings(SERVICE), handle)):
        await until(lambda: committed(world, 3), "all three records")
    assert Counter(request.id for request in handled) == {others.id: 1, reported.id: 1}


async def _says(world: KafkaWorld, name: str, number: int) -> bool:
    return len(await world.events(name)) == number
