"""Progress of a run: TensorBoard files, progress.json, metrics of the service."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import TrainerControl, TrainerState, TrainingArguments

from schemas.events import Event, TrainingFailed, TrainingTriggered
from shared.telemetry.metrics import start_at_zero
from tests.trainer import clock
from trainer.handler import TrainRelease
from trainer.metrics import plots
from trainer.phases import sft
from trainer.recipe import Recipe, load_recipe
from trainer.run.progress import publish_once, publish_progress, set_phase
from trainer.run.run_folder import Run, write_json
from trainer.run.stop_callback import IMPORTANCE_RATIO, TRUNCATED, StopCallback


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_every_step_is_in_tensorboard_and_the_last_one_in_the_metrics(tmp_path: Path) -> None:
    clock.grow(tmp_path / "data", clock.rows(200, (3,), seed=1))
    base = str(clock.newborn(tmp_path / "base"))
    recipe = clock.recipe(tmp_path, base, sft={**clock.TAUGHT, "epochs": 1})
    run = Run(tmp_path / "run", load_recipe(recipe), tmp_path / "data", None)
    found = run.run_once("sft", sft.train)

    (file,) = run.path("sft").rglob("events.out.tfevents.*")
    events = EventAccumulator(str(file))
    events.Reload()
    losses = events.Scalars("train/loss")
    assert [one.step for one in losses] == list(range(1, found["steps"] + 1))

    publish_once(run.folder)
    assert value("chimera_training_step", phase="sft") == value("chimera_training_steps", phase="sft") == found["steps"]
    assert value("chimera_training_loss", phase="sft") == json.loads(run.path("progress.json").read_text())["loss"]
    assert (value("chimera_training_tokens", phase="sft") or 0) > 1000
    assert value("chimera_training_reward", phase="sft") is None


async def test_metrics_follow_a_run_and_are_gone_after_it(tmp_path: Path) -> None:
    set_phase(tmp_path, "rl", step=3, steps=12, reward=0.25)
    over = asyncio.Event()
    watching = asyncio.create_task(publish_progress(tmp_path, over))
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


async def test_only_the_newest_release_is_trained_after_the_one_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, over = list[int](), asyncio.Event()

    async def train(self: TrainRelease, event: TrainingTriggered) -> list[Event]:
        trained.append(event.release)
        await over.wait()
        return []

    monkeypatch.setattr(TrainRelease, "_train", train)
    handle = TrainRelease(tmp_path / "recipe.yaml", tmp_path, tmp_path)
    triggers = [
        TrainingTriggered.root(UUID(int=at), "aggregator", plan=plan, release=release, table_version=1, rows=1)
        for at, (plan, release) in enumerate([("p", 1), ("p", 2), ("other", 1), ("p", 3)])
    ]
    running = [asyncio.create_task(handle(one)) for one in triggers]
    await asyncio.sleep(0)
    over.set()
    ended = [list(await one) for one in running]
    assert trained == [1, 1, 3]
    ((failed,),) = (its for its in ended if its)
    assert isinstance(failed, TrainingFailed)
    assert (failed.release, failed.reason[:23]) == (2, "superseded by release 3")


def test_truncation_and_importance_ratio_of_rl_are_logged_and_plotted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {"step": 8, "loss": 0.1, "reward": 0.5, TRUNCATED: 0.25, IMPORTANCE_RATIO: 0.4}
    state = TrainerState(global_step=8, max_steps=8, log_history=[dict(line)])
    args, control = TrainingArguments(str(tmp_path), use_cpu=True), TrainerControl()
    callback = StopCallback("rl")
    callback.on_log(args, state, control, line)
    callback.on_train_end(args, state, control)
    assert "reward 0.500, truncated 0.250, importance ratio 0.400, " in capsys.readouterr().err
    run = Run(tmp_path, Recipe(base="none"), tmp_path, None)
    write_json(run.path("rl.json"), {"model": "none"})
    for name, history in (("sampled by vLLM", [line]), ("without", [{"step": 8, "reward": 0.5}])):
        write_json(run.path("rl", "log.json"), {"log_history": history})
        folder = tmp_path / name
        folder.mkdir()
        assert plots.draw(run, folder) == ["rl"]
    sizes = [(tmp_path / name / "rl.png").stat().st_size for name in ("sampled by vLLM", "without")]
    assert sizes[0] > sizes[1]
