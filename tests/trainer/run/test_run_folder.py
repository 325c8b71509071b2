"""A run folder belongs to one recipe and the contents of its rows, and its card says what these are."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import Refusal
from tests.trainer import clock
from trainer.metrics import plots
from trainer.phases import card
from trainer.recipe import load_recipe
from trainer.run.run_folder import Run, write_json

NO_SCORES = {"problems": 0, "samples": 1, "grader": "rules", "scores": [], "gains": [], "spent": {}, "benchmarks": []}


def evaluation(stages: Iterable[str], subfields: Iterable[str]) -> dict[str, Any]:
    """Return the result of an evaluation in which every score is one half."""
    half = {"k": 1, "value": 0.5, "low": 0.4, "high": 0.6, "problems": 9, "shrunk": 0.5}
    parts = [("all", "all"), *(("subfield", name) for name in subfields)]
    scores = [{"model": stage, "kind": kind, "part": part, **half} for stage in stages for kind, part in parts]
    spent = {stage: {"truncated": 0.0, "unsure": 0.0, "mean_tokens": 5.0, "cost": None} for stage in stages}
    return {**NO_SCORES, "scores": scores, "spent": spent}


def a_run(folder: Path, simulated: int = 0, **recipe: object) -> Run:
    """A run on 20 rows, of which the first ones are simulated."""
    made = [replace(row, simulated=at < simulated) for at, row in enumerate(clock.rows(20, (3,), seed=1))]
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    clock.grow(folder / "data", made)
    return Run(
        folder / "run", load_recipe(clock.recipe(folder, "base", held_out=nothing, **recipe)), folder / "data", None
    )


def test_a_run_folder_refuses_other_traces_under_the_same_ids(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.run_once("sft", lambda _: {"model": "m"})
    clock.grow(tmp_path / "other", [replace(row, row_hash="solved again") for row in clock.rows(20, (3,), seed=1)])
    with pytest.raises(Refusal, match="holds a run with other contents"):
        replace(run, dataset=tmp_path / "other").run_once("rl_set", lambda _: {})
    assert run.run_once("sft", lambda _: pytest.fail("it began again")) == {"model": "m"}


def test_a_run_folder_of_an_older_version_is_resumed_by_its_recipe_alone(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.run_once("sft", lambda _: {"model": "m"})
    recorded = json.loads(run.path("run.json").read_text())
    del recorded["contents"], recorded["recipe"]["sft"]["trl"], recorded["recipe"]["rl"]["trl"]
    write_json(run.path("run.json"), recorded)
    assert run.run_once("rl_set", lambda _: {"kept": 3}) == {"kept": 3}
    assert "contents" in json.loads(run.path("run.json").read_text())
    with pytest.raises(Refusal, match="holds a run with other recipe"):
        a_run(tmp_path, prompt="Solve $problem").run_once("sft", lambda _: {})


def test_the_card_of_a_model_trained_on_simulated_rows_says_so(tmp_path: Path) -> None:
    texts = {}
    for name, simulated in (("simulated", 5), ("real", 0)):
        run = a_run(tmp_path / name, simulated)
        run.run_once("evaluate", lambda _: NO_SCORES)
        texts[name] = card.render(run, [])
    assert "> **SIMULATED.** The simulator played a model behind 5 of the 20 training rows." in texts["simulated"]
    assert "simulat" not in texts["real"].lower()


def test_the_card_is_in_the_models_folder_with_metadata_and_every_key(tmp_path: Path) -> None:
    run = a_run(tmp_path, rl=None)
    model = tmp_path / "run" / "sft" / "model"
    model.mkdir(parents=True)
    trained = {"model": str(model), "steps": 3, "seconds": 7200.0, "tokens": 1_000_000, "hardware": "8 × H100"}
    rows = {"rows": 20, "tokens": 9, "too_long": 0, "difficulty_too_long": None}
    write_json(run.path("sft.json"), {**trained, "train": rows, "best_epoch": None})
    write_json(run.path("sft", "log.json"), {"log_history": [{"step": 1, "loss": 2.0}]})
    names = ("10 steps", "6 steps")
    run.run_once("evaluate", lambda _: evaluation(("base", "sft"), names))
    run.run_once("card", card.write)
    text = (model / "README.md").read_text()
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert metadata["base_model"] == "base"
    assert metadata["model-index"][0]["results"][0]["metrics"] == [{"type": "pass@1", "value": 50.0}]
    assert "- SFT: 8 × H100, 2.00 h, 1,000,000 tokens" in text
    assert yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])["sft"]["learning_rate"] == 1e-3
    assert (model / "by_subfield.pdf").exists()
    assert sorted(names, key=plots._by_number) == ["6 steps", "10 steps"]
