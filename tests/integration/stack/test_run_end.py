"""When `chimera run` ends, on a real log."""

import asyncio
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from deploy.local.supervisor import Stack
from schemas.events import DatasetReleased, ProblemRequested, SampleCurated, SubjectRequested
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.run import blockers, closed_topics, command, completion
from services.cli.run.completion import Completion
from services.cli.run.live_view import LiveView
from shared.errors import Invalid
from shared.kafka.codec import encode
from shared.kafka.dlq.dead_letter import Failure, SourceRecord, to_record
from tests.support.items import plan
from tests.support.kafka_world import KafkaWorld, until


def curated(request: ProblemRequested) -> SampleCurated:
    row = {"plan": "test", "subject": "physics", "topic": "t", "tier": "verified", "correct": True, "views": ()}
    fields = {**row, "sample_id": request.id, "admission": "in", "row_hash": ""}
    return SampleCurated.after(request, "aggregator", 0, **fields)


async def test_a_run_ends_by_the_plan_that_was_applied_to_it(
    world: KafkaWorld, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "FACTORY", world.factory)
    monkeypatch.setattr(command, "SERVICE", {})  # none runs
    run = command.Run(RunConfig(plan(1000, "physics"), tmp_path), LiveView(Console(file=StringIO())), rows_before=0)
    run.factory.stack = stack
    models_config.write_plan(tmp_path, plan(1000, "physics"))
    following = asyncio.create_task(run._follow())
    requests = world.requests(2)
    release = DatasetReleased.root(uuid4(), "aggregator", plan="test", release=1, table_version=1, rows=2)
    await world.publish([*requests, *map(curated, requests), release])

    async def released() -> bool:
        return run.funnel.release is not None

    await until(released, "a release is seen")
    assert not following.done()
    models_config.write_plan(tmp_path, plan(2, "physics"))
    assert await asyncio.wait_for(following, 60) == Completion()
    assert run.plan.rows == 2


async def test_a_run_ends_when_the_requests_for_its_topics_are_dead_letters(
    world: KafkaWorld, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in (
        (command, "FACTORY", world.factory),
        (command, "SERVICE", {}),
        (blockers, "FACTORY", world.factory),
        (closed_topics, "FACTORY", world.factory),
        (command, "SCRAPE_EVERY_S", 0.1),
        (completion, "QUIET_S", 0.1),
    ):
        monkeypatch.setattr(module, name, value)
    config = RunConfig(plan(2, "physics"), tmp_path)
    run = command.Run(config, LiveView(Console(file=StringIO())), rows_before=0, problems=1)
    run.factory.stack = stack
    models_config.write_plan(tmp_path, config.plan)
    request = SubjectRequested.root(uuid4(), "planner", plan="test", subject="physics", about="", wanted=1)
    await world.publish([request])
    record = encode(request, f"{world.factory}/planner")
    failure = Failure(world.factory, "expansion", Invalid("no such subject"), 1)
    source = SourceRecord("t", 0, 0, 0, record.key, record.value, record.headers)
    for message in to_record(record.name, source, failure):
        await world.put(message.name, message.key, message.value, message.headers)
    watching = asyncio.create_task(run._watch_processes())
    end = await asyncio.wait_for(run._follow(), 60)
    watching.cancel()
    assert "subject.requested of physics in expansion: Invalid: no such subject" in (end.short or "")
    preview = await run._explain(Completion())
    assert isinstance(preview, Completion)
    assert "physics in expansion: Invalid" in (preview.short or ""), "a preview without a subject's topics is not done"
