"""A training run of the previous version that was killed is finished by today's version."""

import json
import subprocess
import sys
from pathlib import Path

from shared.call_journal import journal
from tests.compatibility.recordings import contains, unpack
from trainer.run.call_file import CallFile
from trainer.run.progress import set_phase

COMMAND = ("trainer.all", "--config", "recipe.yaml", "--dataset", "data", "--run", "run")


def test_a_killed_run_resumes_and_repeats_no_finished_work(tmp_path: Path) -> None:
    run = unpack("trainer", tmp_path) / "run"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    samples = [path for path in before if path.suffix == ".jsonl"]
    assert {path.name for path in samples} >= {"tries.jsonl", "base.jsonl", "sft.jsonl"}
    result = subprocess.run(
        [sys.executable, "-P", "-m", *COMMAND], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    changed = {path for path, content in before.items() if path.read_bytes() != content}
    assert changed <= {*samples, run / "run.json", run / "manifest.json"}, "a finished phase ran a second time"
    assert contains(json.loads((run / "run.json").read_text()), json.loads(before[run / "run.json"]))
    for path in samples:
        whole_lines = before[path].rpartition(b"\n")[0]
        assert path.read_bytes().startswith(whole_lines), path
    scores = json.loads((run / "evaluate.json").read_text())["scores"]
    assert {score["model"] for score in scores} == {"base", "sft", "rl"}
    assert (run / "card" / "README.md").exists()


def test_progress_is_written_byte_for_byte(tmp_path: Path) -> None:
    recorded = (unpack("trainer", tmp_path) / "run" / "progress.json").read_text()
    set_phase(tmp_path, **json.loads(recorded))
    assert (tmp_path / "progress.json").read_text() == recorded


async def test_a_file_of_answered_calls_is_read_and_written_byte_for_byte(tmp_path: Path) -> None:
    file = unpack("trainer", tmp_path) / "judge.calls.jsonl"
    recorded = file.read_bytes()
    async with CallFile.opened(file):
        calls = journal()
        assert calls
        results = {call: await calls.get(call) for call in ("a call", "another", "cut o")}
    assert results == {"a call": '{"text": "half a ½"}'.encode(), "another": b"{}", "cut o": None}
    async with CallFile.opened(tmp_path / "today.jsonl"):
        calls = journal()
        assert calls
        for call, result in results.items():
            if result:
                calls.put(call, result)
    assert (tmp_path / "today.jsonl").read_bytes() == recorded.rpartition(b"\n")[0] + b"\n"
