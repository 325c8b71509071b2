"""A run can be watched: TensorBoard files, progress in its folder, metrics of the service."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

from prometheus_client import REGISTRY
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from schemas.events import TrainingTriggered
from shared.telemetry.metrics import start_at_zero
from tests.trainer import clock
from trainer.handler import TrainRelease
from trainer.phases import sft
from trainer.recipe import load
from trainer.run.progress import read, set_phase, show
from trainer.run.run_folder import Run


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_every_step_is_in_tensorboard_and_the_last_one_in_the_metrics(tmp_path: Path) -> None:
    clock.grow(tmp_path / "data", clock.rows(200, (3,), seed=1))
    base = str(clock.newborn(tmp_path / "base"))
    recipe = clock.recipe(tmp_path, base, sft={**clock.TAUGHT, "epochs": 1})
    run = Run(tmp_path / "run", load(recipe), tmp_path / "data", None)
    found = run.run_once("sft", sft.train)

    (file,) = run.path("sft").rglob("events.out.tfevents.*")
    events = EventAccumulator(str(file))
    events.Reload()
    losses = events.Scalars("train/loss")
    assert [one.step for one in losses] == list(range(1, found["steps"] + 1))

    show(run.folder)
    assert value("chimera_training_step", phase="sft") == value("chimera_training_steps", phase="sft") == found["steps"]
    assert value("chimera_training_loss", phase="sft") == json.loads(run.path("progress.json").read_text())["loss"]
    assert (value("chimera_training_tokens", phase="sft") or 0) > 1000
    assert value("chimera_training_reward", phase="sft") is None


async def test_metrics_follow_a_run_and_are_gone_after_it(tmp_path: Path) -> None:
    set_phase(tmp_path, "rl", step=3, steps=12, reward=0.25)
    over = asyncio.Event()
    watching = asyncio.create_task(read(tmp_path, over))
    await asyncio.sleep(0)
    assert (value("chimera_training_step", phase="rl"), value("chimera_training_reward", phase="rl")) == (3, 0.25)
    watching.cancel()
    await asyncio.wait([watching])
    assert value("chimera_training_step", phase="rl") is None


async def test_runs_are_counted_by_how_they_end(tmp_path: Path) -> None:
    start_at_zero("trainer")
    before = value("chimera_training_runs_total", outcome="failed")
    version = clock.grow(tmp_path / "data", clock.rows(5, (3,), seed=3))
    recipe = clock.recipe(tmp_path, "never loaded", held_out={"at_least": 100})
    handle = TrainRelease(recipe, tmp_path / "data", tmp_path / "runs")
    event = TrainingTriggered.root(UUID(int=1), "aggregator", plan="p", release=1, table_version=version, rows=5)
    (failed,) = await handle(event)
    assert failed.type == "training.failed"
    assert before is not None
    assert value("chimera_training_runs_total", outcome="failed") == before + 1
