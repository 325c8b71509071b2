"""Kafka comes back from an older copy of its own folder, beside a dataset that is newer."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local.supervisor import Stack
from schemas.events import Event
from services.cli.__main__ import app
from shared.dataset import Dataset
from shared.errors import Refusal
from shared.kafka.admin.topics import provision
from tests.integration.test_dataset_life import aggregator, rows
from tests.support.items import checked
from tests.support.kafka_world import KafkaWorld, until


@asynccontextmanager
async def factory(folder: Path) -> AsyncIterator[KafkaWorld]:
    async with Stack(folder / "stack") as stack:
        await stack.start_infrastructure()
        async with KafkaWorld(stack.bootstrap, stack.valkey_url, "restored", folder) as world:
            await provision(world.access, world.factory)
            yield world


def events(*numbers: int) -> list[Event]:
    return [checked(number) for number in numbers]


async def grown(world: KafkaWorld, dataset: Path, number: int) -> None:
    async with aggregator(world, dataset):
        await until(lambda: rows(dataset, number), f"{number} rows")


async def refused(world: KafkaWorld, dataset: Path, words: str) -> None:
    async with aggregator(world, dataset) as task:
        with pytest.raises(Refusal, match=words) as error:
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert "`chimera dataset rebuild`" in error.value.next_step


def held(dataset: Path) -> set[str]:
    return {row.id for row in Dataset.open(dataset).rows}


async def test_a_dataset_newer_than_kafka_is_refused_and_its_own_one_resumes(
    tmp_path: Path,
) -> None:
    dataset, kafka, older = tmp_path / "dataset", tmp_path / "stack" / "kafka", tmp_path / "older"
    async with factory(tmp_path) as world:
        await world.publish(events(0, 1), partition=0)
        await grown(world, dataset, 2)
    shutil.copytree(kafka, older)
    async with factory(tmp_path) as world:
        await world.publish(events(2, 3), partition=0)
        await grown(world, dataset, 4)
    shutil.rmtree(kafka)
    older.rename(kafka)
    async with factory(tmp_path) as world:
        await refused(world, dataset, r"restored\.solution\.checked/0 ends at 2, but the dataset .* up to 4")
        await world.publish(events(4, 3), partition=0)  # one of them again, at the place that it had
        await refused(world, dataset, r"restored\.solution\.checked/0 has another record at 3 than the dataset")
        await world.publish(events(5), partition=0)
        await refused(world, dataset, r"another record at 3")
        assert held(dataset) == {event.key for event in events(0, 1, 2, 3)}

        again = tmp_path / "again"
        command = ["dataset", "rebuild", "--out", str(again), "--bootstrap", world.kafka, "--factory", world.factory]
        done = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--json"])
        assert json.loads(done.stdout)["rows"] == 2, done.output
        for one in (again, tmp_path / "empty"):
            await grown(world, one, 5)
            assert held(one) == {event.key for event in events(0, 1, 4, 3, 5)}
        await world.publish(events(6))
        await grown(world, again, 6)
