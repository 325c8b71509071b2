"""What the README tells a newcomer to type works, in a fresh copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from schemas.codegen.export import ROOT, documents

README = (ROOT / "README.md").read_text()
ADD_A_SERVICE = (ROOT / "docs" / "how-to" / "add-a-service.md").read_text()


def copy(to: Path) -> Path:
    """The project as it is in git and in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - a newcomer has git
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def sh(command: str, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHIMERA_")}  # noqa: TID251
    result = subprocess.run(
        ["/bin/sh", "-c", command], cwd=cwd, env=clean, capture_output=True, text=True, timeout=900, check=False
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def test_the_quick_start_works_in_a_fresh_copy(tmp_path: Path) -> None:
    project = copy(tmp_path)
    commands = [line.partition("#")[0].strip() for line in re.findall(r"^(?:make|\.venv).*", README, re.M)]
    assert commands[:4] == [
        "make run",
        "make test",
        ".venv/bin/chimera dataset stats",
        ".venv/bin/chimera dataset show ID",
    ]
    grown = sh('make run ARGS="--rows 8"', project)
    row = re.search(r"chimera dataset show (\w+)", grown)
    assert row, grown
    assert " = 8 in + " in grown
    assert "mathematics" in sh(commands[2], project)
    assert "verified" in sh(commands[3].replace("ID", row[1]), project)
    assert "already has 8 of 8 rows" in sh('make run ARGS="--rows 8"', project)


def test_the_page_s_diff_and_a_made_service_with_a_model_fit_in(tmp_path: Path) -> None:
    project = copy(tmp_path)
    sh("git init -q . && git apply docs/add-a-service.diff && rm -rf .git", project)
    made = "technique --produces problem.classified --model writer"
    sh(f"{sys.executable} -m schemas.codegen.new_service {made} && {sys.executable} -m tests.docs.reference", project)
    sh(f"{sys.executable} -m ruff check -q && {sys.executable} -m ruff format -q --check", project)
    sh(f"{sys.executable} -m mypy", project)
    tests = "tests/architecture tests/unit tests/services/test_tagger.py tests/services/test_technique.py"
    tests += " tests/services/cli/test_check_models.py"
    sh(f"{sys.executable} -m pytest -q -n 2 --dist loadfile -p no:cacheprovider {tests}", project)
    shown_parts = re.findall(r"```text\n(.*?)```", ADD_A_SERVICE, re.S)
    assert shown_parts
    for lines in shown_parts:
        added = (project / "docs" / "add-a-service.diff").read_text()
        shown = [line.strip() for line in lines.splitlines() if line.strip() and not line.startswith("#")]
        assert [line for line in shown if line not in added] == [], "the page shows another service than the diff"


def test_the_picture_in_the_readme_is_the_flow() -> None:
    assert documents()[ROOT / "README.md"] == README
