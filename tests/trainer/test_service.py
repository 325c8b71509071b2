"""The trainer service: a release becomes a model with scores, or a failure with its reason."""

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

from schemas.events import TrainingTriggered
from tests.support.kafka_world import KafkaWorld, until
from tests.trainer import clock

PATIENCE_S = 420.0


def triggered(release: int, version: int) -> TrainingTriggered:
    reported: dict[str, Any] = {"plan": "clock", "release": release, "table_version": version, "rows": 0}
    return TrainingTriggered.root(UUID(int=release), "aggregator", **reported)


@asynccontextmanager
async def service(world: KafkaWorld, recipe: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m trainer`; kill it at the end."""
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


async def endings(world: KafkaWorld) -> list[Any]:
    """Return every event that the trainer published."""
    names = ("training.completed", "training.failed", "evaluation.completed")
    return [event for name in names for event in await world.events(name)]


async def ended(world: KafkaWorld, events: int) -> list[Any]:
    async def output() -> bool:
        found = await endings(world)
        return len(found) >= events or any(event.type == "training.failed" and event.release == 1 for event in found)

    await until(output, "the end of the training", PATIENCE_S, every_s=0.5)
    return await endings(world)


async def test_each_release_becomes_a_better_model_or_a_reason_despite_a_kill(world: KafkaWorld, base: str) -> None:
    few = clock.grow(world.folder / "data", clock.rows(5, (3,), seed=3))
    whole = clock.grow(world.folder / "data", clock.harder())
    config = clock.recipe(world.folder, base, held_out={**clock.RECIPE["held_out"], "at_least": 100})
    good, poor = triggered(1, whole), triggered(2, few)
    async with service(world, config):
        await world.publish([good, good, poor])
        (checkpoint,) = await appears(world.folder, "runs/*/sft/checkpoint-40/trainer_state.json")
        run = checkpoint.parents[2]
        kill_holder(run)
        completed, failed, evaluation = await ended(world, 3)
    report = json.loads((run / "evaluate.json").read_text())
    gains = {(gain["model"], gain["over"]): gain for gain in report["gains"]}
    assert gains["sft", "base"]["low"] > 0.05
    assert gains["rl", "sft"]["value"] > -0.05
    assert Path(completed.model) == run / "rl" / "model"
    score = next(score for score in evaluation.scores if (score.model, score.part, score.k) == ("rl", "all", 1))
    assert score.low <= score.value <= score.high
    assert score.samples == report["samples"]
    assert json.loads((run / "manifest.json").read_text())["phases"] == ["card", "evaluate", "rl", "rl_set", "sft"]
    assert "resumes at step" in (run / "log.txt").read_text()
    assert (failed.release, failed.phase) == (2, "sft")
    assert "rows to train on, fewer than the 100" in failed.reason
    (other,) = set(run.parent.iterdir()) - {run}
    assert (other / "lock").stat().st_mtime > (run / "card.json").stat().st_mtime


async def appears(folder: Path, pattern: str) -> list[Path]:
    found: list[Path] = []

    async def there() -> bool:
        found[:] = folder.glob(pattern)  # noqa: ASYNC240 - a moment, in a test
        return bool(found)

    await until(there, pattern, PATIENCE_S)
    return found


def kill_holder(run: Path) -> None:
    """Send `kill -9` to the process that holds a run folder."""
    lock = str((run / "lock").resolve())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        except OSError:  # already ended, or not ours
            continue
        if lock in held:
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError(f"nobody holds {lock}")
