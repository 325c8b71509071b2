"""When `chimera run` ends, on a real log."""

import asyncio
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from deploy.local.supervisor import Stack
from schemas.events import DatasetReleased, ProblemRequested, SampleCurated
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.run import command
from services.cli.run.completion import Completion
from services.cli.run.live_view import LiveView
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
