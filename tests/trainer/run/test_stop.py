"""SIGTERM: a training writes a checkpoint first, and its service waits for that."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer import clock
from tests.trainer.test_service import PATIENCE_S, appears, triggered
from trainer.handler import TrainRelease

SHORT, LONG = ({**clock.SMALL["sft"], "epochs": epochs} for epochs in (0.1, 100))


def a_recipe(folder: Path, **changes: object) -> Path:
    clock.grow(folder / "data", clock.rows(600, range(3, 6), seed=2))
    return clock.recipe(folder, str(clock.newborn(folder / "newborn")), **{**clock.SMALL, **changes})


async def test_a_stopped_service_waits_for_the_checkpoint_of_its_training(tmp_path: Path) -> None:
    train = TrainRelease(a_recipe(tmp_path, sft=LONG), tmp_path / "data", tmp_path / "runs")
    working = asyncio.ensure_future(train(triggered(1, 1)))
    await appears(tmp_path, "runs/*/sft/checkpoint-*/trainer_state.json")
    for _ in range(3):  # as the runtime does while a task does not end
        working.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await working
    (log,) = await appears(tmp_path, "runs/*/log.txt")
    (step,) = (line.split()[4] for line in log.read_text().splitlines() if "stopped at step" in line)
    assert (log.parent / f"sft/checkpoint-{step}/trainer_state.json").exists()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    places = {"--config": a_recipe(tmp_path, sft=SHORT), "--dataset": tmp_path / "data", "--run": tmp_path / "run"}
    options = [str(part) for place in places.items() for part in place]
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "trainer.all", *options], stderr=log)
    yield process
    process.kill()
    process.wait()


def test_what_comes_after_a_training_hears_it_too(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    late = time.monotonic() + PATIENCE_S
    while not (tmp_path / "run/rl_set/tries.jsonl").exists():
        assert process.poll() is None
        assert time.monotonic() < late
        time.sleep(0.05)
    process.terminate()
    assert process.wait(PATIENCE_S) == 130
    assert "stopped. Run the same command again to resume" in (tmp_path / "log.txt").read_text()
    assert not (tmp_path / "run/failure.json").exists()
