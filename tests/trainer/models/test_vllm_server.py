"""The server of a phase's own: started once for each model, ended with the phase, its answered calls kept."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import Refusal
from tests.trainer import clock, fake_vllm
from tests.trainer.models.test_served import REQUESTED, SAMPLES, lines, rows, wait_for
from trainer.models import vllm_server
from trainer.phases import rl_set
from trainer.phases.evaluate import evaluate
from trainer.recipe import Sample, load_recipe
from trainer.run.run_folder import Run, write_json

PLAYS = {"base": "sim-base", "sft": "sim-solver"}
"""Folders of tiny models, by stage; the executable serves the simulator's model of that name."""


def laid_out(folder: Path, *arguments: str) -> tuple[dict[str, Path], Path]:
    """Write a recipe and a finished SFT; return the options of a phase, and the file of the server's starts."""
    clock.grow(folder / "data", rows())
    models = {stage: str(clock.newborn(folder / name)) for stage, name in PLAYS.items()}
    executable, starts = fake_vllm.install(folder)
    how = {"samples": SAMPLES, "ks": [1, 4], "max_tokens": 4000}
    sample = {"engine": "vllm", "command": str(executable), "arguments": list(arguments)}
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    tries = {"samples": 2, "max_tokens": 3000}
    config = clock.recipe(folder, models["base"], held_out=nothing, evaluate=how, sample=sample, rl_set=tries)
    write_json(folder / "run" / "sft.json", {"model": models["sft"], "train": {"tokens": 1}})
    return {"--config": config, "--dataset": folder / "data", "--run": folder / "run"}, starts


def run_of(places: dict[str, Path]) -> Run:
    return Run(places["--run"], load_recipe(places["--config"]), places["--dataset"], None)


def started(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_each_model_is_served_once_for_all_its_problems_and_then_ended(tmp_path: Path) -> None:
    places, starts = laid_out(tmp_path)
    run = run_of(places)
    pool = rl_set.select(run)
    assert pool["taught"] == 3
    found = evaluate(run)
    assert found["gains"][0]["low"] > 0.1
    assert found["spent"]["sft"]["mean_tokens"] > 10
    made = started(starts)
    assert [(one["model"], one["served_model_name"]) for one in made] == [
        (str(tmp_path / name), name) for name in ("sim-solver", "sim-base", "sim-solver")
    ]
    assert made[0]["max_model_len"] < made[1]["max_model_len"]
    assert not any(is_running(one["pid"]) for one in made)
    assert sorted(path.name for path in run.path("evaluate").glob("*-vllm.jsonl")) == [
        "base-vllm.jsonl",
        "sft-vllm.jsonl",
    ]
    evaluate(run)
    assert len(started(starts)) == 3, "nothing was left to sample"


def test_a_killed_phase_takes_its_server_along_and_pays_for_no_call_twice(tmp_path: Path) -> None:
    log, concurrent = tmp_path / "calls", 16
    places, starts = laid_out(tmp_path, "--calls", str(log), "--latency-ms", "40")
    config = yaml.safe_load(places["--config"].read_text())
    config["sample"]["max_concurrency"] = concurrent
    places["--config"].write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "trainer.evaluate", *(str(part) for pair in places.items() for part in pair)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(lambda: lines(log) >= 150, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server = started(starts)[-1]["pid"]
    deadline = time.monotonic() + 30
    while is_running(server):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    whole = len(PLAYS) * REQUESTED * SAMPLES
    assert whole <= lines(log) <= whole + concurrent


def test_a_server_that_ends_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    places, _ = laid_out(tmp_path, "--no-such-option")
    with pytest.raises(Refusal, match=r"(?s)vLLM ended with status 2: .*unrecognized arguments: --no-such-option"):
        evaluate(run_of(places))


def test_an_engine_that_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match=r"there is no executable 'vllm'\. Install requirements/inference\.txt"):
        vllm_server._find_executable(Sample().command)


def test_the_engine_served_never_samples_in_this_process(tmp_path: Path) -> None:
    places, _ = laid_out(tmp_path)
    config = yaml.safe_load(places["--config"].read_text())
    places["--config"].write_text(yaml.safe_dump({**config, "sample": {"engine": "served"}}))
    with pytest.raises(Refusal, match="no endpoint serves the stage sft"):
        rl_set.select(run_of(places))
