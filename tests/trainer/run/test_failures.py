"""Failures give one readable reason and keep the checkpoint."""

import asyncio
import errno
import gc
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
import torch
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError

from shared.errors import Transient
from shared.ports import Comparison, Grader
from tests.trainer import clock
from trainer.metrics import grading
from trainer.phases import rl, sft
from trainer.phases.command import run_phase
from trainer.recipe import Recipe
from trainer.run.run_folder import Run, write_json

QUICK = {"learning_rate": 1e-3, "batch": 16, "per_device": 16, "epochs": 1, "checkpoint_steps": 2}
PRACTICE = {"completions": 16, "per_device": 16, "rollouts": 4, "reuse": 2, "checkpoint_generations": 1}


def a_run(folder: Path, base: str, **changes: Any) -> Run:
    clock.grow(folder / "data", clock.rows(160, (1, 2), seed=4))
    recipe = {**clock.RECIPE, "sft": QUICK, "rl": PRACTICE, **changes, "base": base}
    return Run(folder / "run", Recipe.model_validate(recipe), folder / "data", None)


def reason(run: Run) -> str:
    return str(json.loads(run.path("failure.json").read_text())["reason"])


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand so on"), "Lower max_length"),
        (OSError(errno.ENOSPC, "No space left on device"), "Make room and run it again"),
        (SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"), "Make room"),
        (RuntimeError("[enforce fail at inline_container.cc:668] . unexpected pos 64 vs 0"), "Make room"),
        (Transient("the endpoint answers 503"), "the endpoint answers 503"),
        (
            HfHubHTTPError(
                "401 Client Error\n\nInvalid token",
                response=httpx2.Response(401, request=httpx2.Request("GET", "https://hub")),
            ),
            "the model hub: 401 Client Error. Check",
        ),
        (KeyError("loss"), "a bug: KeyError: 'loss'"),
    ],
)
def test_what_ends_a_phase_is_reported_in_a_line(error: Exception, reported: str, tmp_path: Path) -> None:
    run = a_run(tmp_path, "never loaded")

    def fails(_: Run) -> dict[str, Any]:
        raise error

    assert run_phase(run, "sft", fails) == 1
    assert reported in reason(run)
    assert "\n" not in reason(run)


def test_a_nan_loss_stops_the_training_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    base = str(clock.newborn(tmp_path / "newborn"))
    run = a_run(tmp_path, base, sft={**QUICK, "learning_rate": 1e20, "checkpoint_steps": 1})
    assert run_phase(run, "sft", sft.train) == 1
    assert "is nan at step" in reason(run)
    assert "Lower the learning rate" in reason(run)
    assert run.path("sft", "checkpoint-1", "model.safetensors").exists()
    assert not run.path("sft", "model").exists()


def test_a_phase_that_is_done_holds_no_memory_of_its_model(tmp_path: Path) -> None:
    run = a_run(tmp_path, str(clock.newborn(tmp_path / "newborn")))
    gc.collect()
    before = alive()
    assert run_phase(run, "sft", sft.train) == 0
    assert alive() == before


def alive() -> int:
    """Count the trained weights in this process."""
    return sum(isinstance(one, torch.nn.Parameter) for one in gc.get_objects())


def test_a_missing_base_and_a_missing_chat_template_are_refused(tmp_path: Path) -> None:
    unknown = a_run(tmp_path, str(tmp_path / "nowhere"))
    assert run_phase(unknown, "sft", sft.train) == 1
    assert "cannot be loaded" in reason(unknown)
    assert "Correct `base`" in reason(unknown)
    base = clock.newborn(tmp_path / "newborn")
    (base / "chat_template.jinja").unlink()
    silent = Run(tmp_path / "silent", Recipe(base=str(base)), tmp_path / "data", None)
    assert run_phase(silent, "sft", sft.train) == 1
    assert "has no chat template. Use a base model that has one" in reason(silent)


class Leaves:
    """A judge that stops answering after a number of questions."""

    def __init__(self, grader: Grader, questions: int) -> None:
        self.grader, self.left = grader, questions

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        self.left -= 1
        if self.left < 0:
            await asyncio.Event().wait()
        return await self.grader.compare(key, answer, answer_type, question)


def test_losing_the_judge_during_rl_loses_no_finished_step(
    tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, base)
    write_json(run.path("sft.json"), {"model": base})
    pool = [row.id for row in run.examples if row.split == "train"][:40]
    run.path("rl_set").mkdir()
    run.path("rl_set", "problems.txt").write_text("\n".join(pool))
    write_json(run.path("rl_set.json"), {"kept": len(pool)})
    with monkeypatch.context() as patched:
        patched.setattr(grading, "JUDGE_TIMEOUT_S", 1.0)
        patched.setattr(
            rl, "build_grader", lambda *given: grading.JudgeWithTimeout(Leaves(grading.build_grader(*given), 70))
        )
        assert run_phase(run, "rl", rl.train) == 1
    assert "the judge has not answered for 1 s. Check its endpoint" in reason(run)
    assert run_phase(run, "rl", rl.train) == 0
    assert "resumes at step" in capsys.readouterr().err
    assert not run.path("failure.json").exists()
