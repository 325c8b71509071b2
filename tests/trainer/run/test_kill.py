"""`kill -9` in every phase: the same command resumes, and no finished phase runs again."""

import json
import subprocess
import sys
import time
from pathlib import Path

from safetensors.torch import load_file

from tests.trainer import clock
from trainer.phases import all as phases
from trainer.recipe import load_recipe
from trainer.run.run_folder import Run

UNDER_WAY = {
    "sft": "sft/checkpoint-*/trainer_state.json",
    "rl_set": "rl_set/tries.jsonl",
    "rl": "rl/checkpoint-*/trainer_state.json",
    "evaluate": "evaluate/*.jsonl",
    "card": "card/*.png",
}
"""Files that exist once a phase has made progress."""
PATIENCE_S = 120.0


def killed_in(phase: str, run: Run, command: list[str]) -> None:
    with (run.folder.parent / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, stderr=log)
    late = time.monotonic() + PATIENCE_S
    while not any(path.stat().st_size for path in run.folder.glob(UNDER_WAY[phase])):
        assert process.poll() is None, (run.folder.parent / "log.txt").read_text()
        assert time.monotonic() < late, phase
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert run.result(phase) is None, f"{phase} was done before the kill"


def test_a_run_that_is_killed_in_every_phase_ends_as_one_that_is_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    clock.grow(data, clock.rows(600, range(3, 6), seed=2))
    config = clock.recipe(tmp_path, str(clock.newborn(tmp_path / "newborn")), **clock.SMALL)
    at_once, killed = (Run(tmp_path / name, load_recipe(config), data, None) for name in ("at_once", "killed"))
    options = ["--config", str(config), "--dataset", str(data), "--run"]
    phases.run_missing_phases(at_once, [*options, str(at_once.folder)])

    command = [sys.executable, "-m", "trainer.all", *options, str(killed.folder)]
    for phase in UNDER_WAY:
        killed_in(phase, killed, command)
    again = subprocess.run(command, capture_output=True, text=True, check=True)

    assert json.loads(killed.path("manifest.json").read_text()) == json.loads(at_once.path("manifest.json").read_text())
    one, other = (load_file(run.path("sft", "model", "model.safetensors")) for run in (at_once, killed))
    assert all(bool((other[name] == values).all()) for name, values in one.items())
    assert "sft: begins" not in again.stderr
    assert killed.path("card", "README.md").exists()
