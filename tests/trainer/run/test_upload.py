"""A trained model on the hub: its weights once, with the run's card."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub.utils import filter_repo_objects

from shared.errors import Refusal
from tests.trainer import clock
from tests.trainer.run.test_run_folder import evaluation
from trainer.phases import card, sft
from trainer.recipe import load_recipe
from trainer.run.run_folder import Run

UPLOAD = {"push_to_hub": True, "hub_model_id": "lab/model", "hub_strategy": "end", "report_to": "none"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return the files of a repository that takes the place of the hub's."""
    files: dict[str, bytes] = {}

    def upload_folder(_: HfApi, *, folder_path: str, ignore_patterns: Any = None, **_options: Any) -> None:
        folder = Path(folder_path)
        names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
        files.update(
            {name: (folder / name).read_bytes() for name in filter_repo_objects(names, ignore_patterns=ignore_patterns)}
        )

    monkeypatch.setattr(HfApi, "create_repo", lambda _, name, **_options: SimpleNamespace(repo_id=name))
    monkeypatch.setattr(HfApi, "upload_folder", upload_folder)
    return files


def a_run(folder: Path, **trl: Any) -> Run:
    clock.grow(folder / "data", clock.rows(60, (3,), seed=1))
    taught = {**clock.TAUGHT, "epochs": 1, "checkpoint_steps": 1, "trl": {**UPLOAD, **trl}}
    recipe = load_recipe(clock.recipe(folder, str(clock.newborn(folder / "base")), sft=taught, rl=None))
    return Run(folder / "run", recipe, folder / "data", None)


def test_a_model_is_uploaded_once_with_the_card_of_its_run(tmp_path: Path, hub: dict[str, bytes]) -> None:
    run = a_run(tmp_path)
    model = Path(run.run_once("sft", sft.train)["model"])
    run.run_once("evaluate", lambda _: evaluation(["sft"], ["3 steps"]))
    run.run_once("card", card.write)
    assert [name for name in hub if name.endswith(".safetensors")] == ["model.safetensors"]
    assert hub["model.safetensors"] == (model / "model.safetensors").read_bytes()
    assert hub["config.json"] == (model / "config.json").read_bytes()
    assert hub["README.md"] == (model / "README.md").read_bytes()
    assert b"trained by Chimera" in hub["README.md"]


def test_an_upload_without_a_name_and_a_missing_tracker_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"sft.trl: push_to_hub needs a name"):
        sft.build_config(a_run(tmp_path / "nameless", hub_model_id=None), tmp_path, has_validation=False)
    with pytest.raises(Refusal, match=r"sft.trl: report_to: wandb is not installed"):
        sft.build_config(a_run(tmp_path / "tracker", report_to="wandb"), tmp_path, has_validation=False)
