"""A release becomes a model with scores, or a reason why not: the real service, real events, real training."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.events import TrainingTriggered
from tests.trainer import clock
from tests.world import World, until

PATIENCE_S = 420.0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return clock.base(tmp_path_factory.mktemp("base"))


def triggered(version: int, rows: int, release: int = 1) -> TrainingTriggered:
    told = {"plan": "clock", "release": release, "table_version": version, "rows": rows}
    return TrainingTriggered.root(UUID(int=release), "aggregator", **told)


@asynccontextmanager
async def service(world: World, recipe: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m trainer`, killed at the end."""
    places = {"CHIMERA_RECIPE": recipe, "CHIMERA_RUNS": world.folder / "runs", "CHIMERA_DATASET": world.folder / "data"}
    env = {**os.environ, **world.env("trainer", in_flight=1), **{k: str(v) for k, v in places.items()}}  # noqa: TID251
    with (world.folder / "trainer.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "trainer", env=env, stderr=log)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def endings(world: World) -> list[Any]:
    """Everything that the trainer has said."""
    names = ("training.completed", "training.failed", "evaluation.completed")
    return [event for name in names for event in await world.events(name)]


async def ended(world: World, events: int) -> list[Any]:
    async def said() -> bool:
        found = await endings(world)
        return len(found) >= events or any(event.type == "training.failed" for event in found)

    await until(said, "the end of the training", PATIENCE_S, every_s=0.5)
    return await endings(world)


async def test_a_release_makes_a_better_model_though_killed_and_triggered_twice(world: World, base: str) -> None:
    rows = clock.harder()
    event = triggered(clock.grow(world.folder / "data", rows), len(rows))
    config = clock.recipe(world.folder, base)
    async with service(world, config):
        await world.publish([event, event])
        (checkpoint,) = await appears(world.folder, "runs/*/sft/checkpoint-40/trainer_state.json")
        workers = checkpoint.parents[2]
        kill_holder(workers)
        completed, evaluation = await ended(world, 2)
    report = json.loads((workers / "evaluate.json").read_text())
    gains = {(gain["model"], gain["over"]): gain for gain in report["gains"]}
    assert gains["sft", "base"]["low"] > 0.05
    assert gains["rl", "sft"]["value"] > -0.05
    assert Path(completed.model) == workers / "rl" / "model"
    whole = next(score for score in evaluation.scores if (score.model, score.part, score.k) == ("rl", "all", 1))
    assert whole.low <= whole.value <= whole.high
    assert whole.samples == report["samples"]
    assert json.loads((workers / "manifest.json").read_text())["phases"] == ["card", "evaluate", "rl", "rl_set", "sft"]
    assert "resumes at step" in (workers / "log.txt").read_text()
    assert len(await endings(world)) == 2


async def test_what_cannot_be_trained_is_a_failure_with_its_reason(world: World) -> None:
    version = clock.grow(world.folder / "data", clock.rows(5, (3,), seed=3))
    config = clock.recipe(world.folder, "never loaded", held_out={"at_least": 100})
    async with service(world, config):
        await world.publish([triggered(version, 5)])
        (failed,) = await ended(world, 1)
    assert (failed.type, failed.phase) == ("training.failed", "sft")
    assert "has 5 rows to train on, fewer than the 100" in failed.reason


async def appears(folder: Path, pattern: str) -> list[Path]:
    found: list[Path] = []

    async def there() -> bool:
        found[:] = folder.glob(pattern)  # noqa: ASYNC240 - a moment, in a test
        return bool(found)

    await until(there, pattern, PATIENCE_S)
    return found


def kill_holder(run: Path) -> None:
    """`kill -9` for the process that holds a run folder."""
    lock = str((run / "lock").resolve())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        except OSError:  # ended meanwhile, or not ours
            continue
        if lock in held:
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError(f"nobody holds {lock}")
