"""The whole line with its dataset on an object store, which refuses for a while, and every command that reads it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local.supervisor import Stack
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Audits, Releases, Solving
from services.cli.__main__ import app
from shared.dataset import Dataset
from tests.e2e.checks import check_everything
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until
from tests.support.s3_store import SECRET, WHERE, Store, store

SEED = 31
PLAN = Plan(
    name="stored",
    rows=12,
    subjects={"mathematics": Subject(topics=4), "physics": Subject(topics=3)},
    in_progress=12,
    solving=Solving(retries=1),
    releases=Releases(every_rows=5),
    audits=Audits(rate=0.5),
    variants=200,
)


async def test_a_factory_fills_an_object_store_that_fails_for_a_while(
    stack: Stack, world: KafkaWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store(tmp_path) as bucket:
        for name, value in {**bucket.env, "CHIMERA_DATASET": WHERE}.items():
            monkeypatch.setenv(name, value)
        line = Line(stack, world, PLAN, SEED)
        log = stack.directory / "logs" / f"{world.factory}-aggregator.log"
        async with line:
            await refused_for_a_while(bucket, log)
            await line.grown()
            found = await line.remains()
            check_everything(found, PLAN, SEED)
            assert len(found.events["dataset.released"]) >= 2
            await every_command_works(line, found.rows)
        assert SECRET not in log.read_text()
    assert not (line.directory / "dataset").exists()


async def refused_for_a_while(bucket: Store, log: Path) -> None:
    """From the first commit until the aggregator has logged it more than once; meanwhile nothing changes."""

    async def message(times: int) -> bool:
        lines = await asyncio.to_thread(log.read_text)
        return lines.count("the store fails, retrying: cannot write the table: ") >= times

    def there() -> tuple[int, int]:
        dataset = Dataset.open(WHERE)
        return len(dataset.rows), len(dataset.ledger)

    bucket.forbid("s3:PutObject")
    await until(lambda: message(1), "what the store said")
    before = there()
    await until(lambda: message(2), "the same again")
    assert there() == before
    bucket.forbid()


async def every_command_works(line: Line, rows: Sequence[Mapping[str, Any]]) -> None:
    ids = {row["id"] for row in rows if row["admission"] == "in"}
    kafka = ("--bootstrap", line.world.kafka, "--factory", line.world.factory)

    async def chimera(*arguments: str) -> Any:
        command = [*arguments, "--dir", str(line.directory), "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert (await chimera("dataset", "stats"))["rows"] == len(rows)
    one = min(ids)
    assert (await chimera("dataset", "show", one))["row"]["id"] == one
    releases = (await chimera("dataset", "versions"))["releases"]
    assert releases[-1]["rows"] == len(ids)
    assert (await chimera("dataset", "diff", "1", "latest"))["in"] > 0
    assert (await chimera("dataset", "export", "--out", str(line.directory / "out")))["rows"] == len(ids)
    assert (await chimera("audit"))["audits"] > 0
    again = await chimera("dataset", "rebuild", "--out", str(line.directory / "again"), *kafka)
    assert (again["rows"], again["differing"]) == (len(rows), [])
    gone = await chimera("dataset", "delete", one, "--reason", "a test", "--purge", *kafka)
    assert (gone["deleted"], gone["waiting"]) == ([one], [])
    assert gone["purged_files"] > 0
