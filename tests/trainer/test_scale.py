"""Several processes train one model, and accelerate accepts the shipped configurations."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from safetensors.torch import load_file

from tests.trainer import clock
from trainer.phases import sft as sft_phase
from trainer.recipe import Recipe, load_recipe
from trainer.run import launcher
from trainer.run.costs import load_shape
from trainer.run.run_folder import Run, read_history

FOLDER = Path("trainer/configs/accelerate").resolve()
PROCESSES = {"one_gpu": 1, "fsdp_8": 8, "fsdp_2x8": 16}


@pytest.fixture(autouse=True)
def without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the GPUs of this machine, here and from the processes that are started."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_accelerate_takes_every_shipped_configuration(name: str) -> None:
    file = str(FOLDER / f"{name}.yaml")
    assert load_config_from_file(file).num_processes == PROCESSES[name]
    options = ["--config_file", file, "-m", "trainer.sft"]
    args, _, _ = _validate_launch_command(launch_command_parser().parse_args(options))
    assert (args.use_fsdp, args.mixed_precision) == (PROCESSES[name] > 1, "bf16")
    if args.use_fsdp:
        assert (args.fsdp_version, args.fsdp_state_dict_type) == (2, "FULL_STATE_DICT")


def test_two_processes_train_one_model_and_one_of_them_says_so(tmp_path: Path) -> None:
    clock.grow(tmp_path / "data", clock.rows(200, (3,), seed=1))
    sft = {**clock.TAUGHT, "per_device": 8, "epochs": 1}
    base = str(clock.newborn(tmp_path / "base"))
    recipe = clock.recipe(tmp_path, base, sft=sft)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "--"]
    places = ["--config", recipe, "--dataset", tmp_path / "data", "--run", tmp_path / "run"]

    def started(phase: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *launch, f"trainer.{phase}", *map(str, places)]
        env = {**os.environ, "ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": ""}  # noqa: TID251
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    done = started("sft")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "run" / "sft.json").read_text())
    batches = -(-found["train"]["rows"] // 16)
    assert found["steps"] == -(-batches // 2)
    assert (Path(found["model"]) / "model.safetensors").exists()
    assert (done.stderr.count("sft: begins"), done.stderr.count("sft: done.")) == (2, 1)
    refused = started("evaluate")
    assert refused.returncode == 1
    assert "evaluate: runs in one process only" in refused.stderr


def test_a_run_starts_its_processes_itself_and_stops_them_at_one_step(tmp_path: Path) -> None:
    clock.grow(tmp_path / "data", clock.rows(400, (3,), seed=1))
    sft = {**clock.TAUGHT, "per_device": 8, "epochs": 8, "group_by_length": True}
    measured = {"samples": 1, "ks": [1], "max_tokens": 8, "batch": 32, "problems": 16}
    base = str(clock.newborn(tmp_path / "base"))
    recipe = clock.recipe(tmp_path, base, processes=2, sft=sft, rl=None, evaluate=measured)
    places = ["--config", recipe, "--dataset", tmp_path / "data", "--run", tmp_path / "run"]
    command = [sys.executable, "-m", "trainer.all", *map(str, places)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        progress = tmp_path / "run" / "progress.json"
        deadline = time.monotonic() + 1200
        while not progress.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()
        output = process.communicate()[1]
        assert process.returncode == 130, output
    assert output.count("sft: stopped at step") == 2
    (checkpoint,) = (tmp_path / "run" / "sft").glob("checkpoint-*")
    assert (checkpoint / "trainer_state.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"resumes at step {checkpoint.name.rpartition('-')[2]}" in done.stderr
    assert (tmp_path / "run" / "card" / "README.md").exists()


def test_devices_that_share_a_row_are_not_counted_twice_in_a_batch(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"base": "none", "processes": 8, "sft": {"context_parallel": 4}})
    sizes = launcher.build_config(recipe, "sft")["parallelism_config"]
    assert (sizes["parallelism_config_cp_size"], sizes["parallelism_config_dp_shard_size"]) == (4, 2)
    assert "parallelism_config" not in launcher.build_config(recipe, "rl")
    (tmp_path / "accelerate.yaml").write_text(yaml.safe_dump(launcher.build_config(recipe, "sft") | {"use_cpu": False}))
    options = ["--config_file", str(tmp_path / "accelerate.yaml"), "-m", "trainer.sft"]
    args, _, _ = _validate_launch_command(launch_command_parser().parse_args(options))
    assert (args.use_parallelism_config, args.parallelism_config_cp_size) == (True, 4)
    with pytest.raises(ValueError, match="packing and context_parallel exclude each other"):
        Recipe.model_validate({"base": "none", "sft": {"context_parallel": 4, "packing": True}})


@pytest.mark.parametrize("rank", [0, 4])
def test_sharded_weights_are_saved_resumed_and_merged_as_whole_ones(rank: int, tmp_path: Path) -> None:
    clock.grow(tmp_path / "data", clock.rows(100, (3,), seed=1))
    base, few = str(clock.newborn(tmp_path / "base")), {"topics": 0, "clusters": 0, "validation": 0.2}
    sft = {**clock.TAUGHT, "per_device": 8, "epochs": 2, "checkpoint_steps": 3, "lora_rank": rank}
    config = clock.recipe(tmp_path, base, sft=sft, held_out=few, processes=2)
    recipe = load_recipe(config)
    (tmp_path / "accelerate.yaml").write_text(yaml.safe_dump(launcher.build_config(recipe, "sft")))
    places = ["--config", str(config), "--dataset", str(tmp_path / "data"), "--run", str(tmp_path / "run")]
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(tmp_path / "accelerate.yaml")]
    command += ["-m", "tests.trainer.sharded_cpu", *places]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 1200
        while not (tmp_path / "run" / "sft" / "checkpoint-3" / "trainer_state.json").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = psutil.Process(process.pid).children(recursive=True)  # in sessions of their own
        os.killpg(process.pid, signal.SIGKILL)
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        psutil.wait_procs(workers, timeout=10)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "resumes at step" in done.stderr
    found = json.loads((tmp_path / "run" / "sft.json").read_text())
    assert "FSDP" in found["sharding"]
    shape = load_shape(base, None, rank)
    (last, *_) = sorted((tmp_path / "run" / "sft").glob("checkpoint-*"), reverse=True)
    on_disk = sum(file.stat().st_size for file in last.iterdir() if file.suffix in (".bin", ".safetensors"))
    assert on_disk == pytest.approx(shape.checkpoint_bytes(2), rel=0.1 if rank == 0 else 0.5)

    whole = Run(tmp_path / "whole", recipe, tmp_path / "data", None)
    alone = whole.run_once("sft", sft_phase.train)
    losses = [
        [entry["loss"] for entry in read_history(run, "sft") if "loss" in entry]
        for run in (whole, replace(whole, folder=tmp_path / "run"))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    one, other = (load_file(Path(result["model"]) / "model.safetensors") for result in (alone, found))
    assert one.keys() == other.keys()
    assert all(values.shape == other[name].shape for name, values in one.items())
    assert max(float((values - other[name]).abs().max()) for name, values in one.items()) < 0.02
