"""Several processes train one model, and accelerate accepts the shipped configurations."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser

from tests.trainer import clock

FOLDER = Path("trainer/configs/accelerate").resolve()
PROCESSES = {"one_gpu": 1, "fsdp_8": 8, "fsdp_2x8": 16}


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
