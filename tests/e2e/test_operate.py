"""A stack kept running, as an operator has it: up, look, scale, trim, down, up again; nothing is left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from deploy.local.orphans import find
from deploy.local.state_file import StateFile
from schemas.flow import SERVICE
from shared.kafka.admin.retention import transit_topics

ROWS = 16


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder in which nothing runs afterwards, however the test ends."""
    folder = tmp_path / "s"
    yield folder
    for process in list(find(folder)):
        process.kill()


def chimera(folder: Path, *arguments: str, status: int = 0) -> str:
    """One command; returns what it printed on standard output."""
    command = [sys.executable, "-m", "services.cli", *arguments, "--dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")


def document(folder: Path, *arguments: str) -> Any:
    return json.loads(chimera(folder, *arguments, "--json"))


def status_when(folder: Path, condition: Callable[[Any], bool], within_s: float = 120) -> Any:
    deadline = time.monotonic() + within_s
    while not condition(found := document(folder, "status")):
        assert time.monotonic() < deadline, found
    return found


def service(found: Any, name: str) -> Any:
    return next(one for one in found["services"] if one["service"] == name)


def pids(found: Any, name: str) -> list[int]:
    return [one["pid"] for one in service(found, name)["processes"]]


def test_a_stack_is_kept_running_looked_at_scaled_trimmed_and_ended(folder: Path) -> None:
    up = document(folder, "up", "--rows", str(ROWS))
    assert set(SERVICE) <= set(up["seconds"])
    assert f"(pid {up['pid']})" in chimera(folder, "up", status=1)

    assert document(folder, "scale", "synthesis=3", "expansion=0") == {
        "synthesis": {"before": 1, "after": 3},
        "expansion": {"before": 1, "after": 0},
    }
    document(folder, "scale", "expansion=1")
    found = status_when(folder, lambda now: now["progress"]["admitted"] == ROWS)
    assert found["supervisor"] == up["pid"]
    assert all(server["answers"] for server in found["infrastructure"])
    assert [one["name"] for one in service(found, "synthesis")["processes"]] == [
        "synthesis",
        "synthesis-2",
        "synthesis-3",
    ]
    assert sum(one["dead_letters"] for one in found["services"]) == 0
    assert not any(one["unready"] for one in found["services"])
    assert "assigned" in chimera(folder, "logs", "synthesis", "-n", "50")
    supervisor = [json.loads(line) for line in chimera(folder, "logs", "supervisor", "--json").splitlines()]
    assert "trimmed 0 records" in {line["message"] for line in supervisor}

    status_when(folder, lambda now: all(not one["lag"] for one in now["services"]))
    removed = {one["name"]: one["removed"] for one in document(folder, "kafka", "trim")["kafka_topics"]}
    assert removed.keys() == {flow.name for flow in transit_topics()}
    assert removed["problem.requested"] >= ROWS
    assert sum(one["removed"] for one in document(folder, "kafka", "trim")["kafka_topics"]) == 0
    assert document(folder, "check", "kafka")["problems"] == []

    record = StateFile.read(folder)
    recorded = [running.id for running in record.processes]
    assert document(folder, "down")["how"] == "stopped"
    assert not any(process.alive() for process in recorded)
    assert record.supervisor
    assert record.supervisor.pid == up["pid"]
    assert not record.up
    assert list(find(folder)) == []

    chimera(folder, "up", "--rows", str(ROWS + 8))  # after trimming, every group resumes at its offset
    more = status_when(folder, lambda now: now["progress"]["admitted"] == ROWS + 8)
    assert sum(one["dead_letters"] for one in more["services"]) == 0
    assert sum(one["restarts"] for each in more["services"] for one in each["processes"]) == 0

    plan = yaml.safe_load((folder / "plan.yaml").read_text())
    (folder / "other.yaml").write_text(
        yaml.safe_dump({**plan, "rows": ROWS + 16, "solving": {"retries": 2}}, sort_keys=False)
    )
    applied = document(folder, "plan", "apply", str(folder / "other.yaml"))
    assert applied == {"changed": ["rows", "solving"], "restarted": ["panel", "probe", "answer_checker"]}
    after = status_when(folder, lambda now: now["progress"]["admitted"] == ROWS + 16)
    same = [name for name in SERVICE if pids(after, name) == pids(more, name)]
    assert same == [name for name in SERVICE if name not in applied["restarted"]]
    assert document(folder, "down")["left_over"] == []
    assert list(find(folder)) == []


def test_a_preview_shows_each_problem_with_its_evidence_and_leaves_nothing() -> None:
    command = [sys.executable, "-m", "services.cli", "preview", "--problems", "3", "--json"]
    with TemporaryDirectory() as folder:  # a socket's path is short
        environment = {**os.environ, "TMPDIR": folder}  # noqa: TID251 - passed on
        done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, env=environment)
        left = list(Path(folder).glob("chimera-preview-*"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["items"]) >= 3
    assert all(one["row"] or one["ledger"] for one in document["items"])
    assert sum(document["summary"]["ends"].values()) >= 3
    assert left == []
