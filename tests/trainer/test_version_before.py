"""A run folder that the version before left when it was killed is carried to its end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared.call_journal import journal
from tests.compatibility.recordings import unpacked
from trainer.run.call_file import CallFile
from trainer.run.progress import set_phase


def trained(folder: Path) -> str:
    """Run all phases in the folder, as when it was recorded; returns what they say."""
    command = ["trainer.all", "--config", "recipe.yaml", "--dataset", "data", "--run", "run"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_killed_run_resumes_and_does_no_finished_work_again(tmp_path: Path) -> None:
    run = unpacked("trainer", tmp_path) / "run"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    answers = [path for path in before if path.suffix == ".jsonl"]
    assert {path.name for path in answers} >= {"tries.jsonl", "base.jsonl", "sft.jsonl"}
    said = trained(tmp_path)
    assert [phase for phase in ("sft", "rl_set", "rl", "evaluate", "card") if f"{phase}: begins" in said] == [
        "evaluate",
        "card",
    ]
    again = {path for path, content in before.items() if path.read_bytes() != content}
    assert again <= {*answers, run / "manifest.json"}
    for path in answers:
        whole = before[path].rpartition(b"\n")[0]
        assert path.read_bytes().startswith(whole), path
    scores = json.loads((run / "evaluate.json").read_text())
    assert {score["model"] for score in scores["scores"]} == {"base", "sft", "rl"}


def test_progress_is_written_as_before(tmp_path: Path) -> None:
    recorded = (unpacked("trainer", tmp_path) / "run" / "progress.json").read_text()
    known = json.loads(recorded)
    set_phase(tmp_path, **known)
    assert (tmp_path / "progress.json").read_text() == recorded


@pytest.mark.asyncio
async def test_answered_calls_are_found_and_kept_in_the_same_lines(tmp_path: Path) -> None:
    file = unpacked("trainer", tmp_path) / "judge.calls.jsonl"
    recorded = file.read_bytes()
    async with CallFile.kept(file):
        kept = journal()
        assert kept
        results = {call: await kept.get(call) for call in ("a call", "another", "cut o")}
    assert results == {"a call": '{"text": "half a ½"}'.encode(), "another": b"{}", "cut o": None}
    async with CallFile.kept(tmp_path / "new.jsonl"):
        kept = journal()
        assert kept
        for call, result in results.items():
            if result:
                kept.put(call, result)
    assert (tmp_path / "new.jsonl").read_bytes() == recorded.rpartition(b"\n")[0] + b"\n"
