"""The command line finds the environment that has torch, or says how to get one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.state_file import ProcessId, StateFile
from services.cli.train import PHASES, interpreter, service_settings
from shared.errors import Refusal


def test_train_prefers_the_trainer_environment_and_refuses_without_one(tmp_path: Path) -> None:
    assert interpreter(tmp_path, "/own/python") == "/own/python"
    with pytest.raises(Refusal, match=r"no torch in .* run `make \.venv/\.trainer`"):
        interpreter(tmp_path, None)
    alongside = tmp_path / "trainer" / "bin" / "python"
    alongside.parent.mkdir(parents=True)
    alongside.touch()
    assert interpreter(tmp_path, "/own/python") == str(alongside)


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_gets_its_options_as_they_were_typed(phase: str, tmp_path: Path) -> None:
    stand_in = tmp_path / "trainer" / "bin" / "python"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text('#!/bin/sh\necho "$@"\n')
    stand_in.chmod(0o755)
    typed = f"import sys; sys.prefix = {str(tmp_path)!r}; sys.argv[1:] = ['train', {phase!r}, '--run', 'r', '--help']"
    reported = subprocess.run(
        [sys.executable, "-c", f"{typed}; from services.cli.__main__ import main; main()"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert reported.stdout == f"-m trainer.{phase.replace('-', '_')} --run r --help\n"


def test_the_help_of_a_phase_needs_no_environment_of_the_trainer(tmp_path: Path) -> None:
    typed = f"import sys; sys.prefix = {str(tmp_path)!r}; sys.argv[1:] = ['train', 'rl-set', '--help']"
    line = [sys.executable, "-c", f"{typed}; from services.cli.__main__ import main; main()"]
    assert "--dry-run" in subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_the_service_gets_the_addresses_of_the_factory_in_the_folder(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    with pytest.raises(Refusal, match=r"no factory runs in .*Start one with `chimera up`"):
        service_settings(tmp_path, recipe)
    url = "redis://:secret@127.0.0.1:7000/0"
    StateFile(supervisor=ProcessId.of(os.getpid()), bootstrap="127.0.0.1:9100", valkey_url=url).write(tmp_path)
    settings = service_settings(tmp_path, recipe)
    assert (settings["CHIMERA_KAFKA"], settings["CHIMERA_VALKEY"]) == ("127.0.0.1:9100", url)
    assert (settings["CHIMERA_RECIPE"], settings["CHIMERA_RUNS"]) == (str(recipe), str(tmp_path / "runs"))
    assert settings["CHIMERA_DATASET"] == str(tmp_path / "dataset")
    assert "CHIMERA_JUDGE" not in settings


@pytest.mark.parametrize("phase", ["sft", "rl_set", "rl", "control", "evaluate", "card", "all"])
def test_help_of_a_phase_is_shown_before_torch_is_imported(phase: str) -> None:
    code = f"import runpy, sys; sys.modules['torch'] = None; runpy.run_module('trainer.{phase}', run_name='__main__')"
    shown = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert "--dry-run" in shown.stdout
