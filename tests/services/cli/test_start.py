"""The first minutes with the command: it answers fast, and its first files and problems are right."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.config.plan import Plan, Subject
from services.cli.__main__ import app
from services.cli.start.preview import reduced
from shared.config.plan_loader import load_plan
from shared.llm import load_models_config


def chimera(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_the_files_of_init_are_valid_and_are_never_overwritten(tmp_path: Path) -> None:
    code, output = chimera("init", str(tmp_path / "new"))
    assert (code, output.count("chimera preview")) == (0, 1)
    plan = load_plan(tmp_path / "new" / "plan.yaml")
    assert plan.verification.target_wrong == {"sft": 0.02, "rl": 0.05}
    assert load_models_config(tmp_path / "new" / "models.yaml").shared_roles() == {}

    (tmp_path / "new" / "models.yaml").unlink()
    (tmp_path / "new" / "plan.yaml").write_text("mine")
    assert chimera("init", str(tmp_path / "new"))[0] == 1
    assert (tmp_path / "new" / "plan.yaml").read_text() == "mine"
    assert not (tmp_path / "new" / "models.yaml").exists()


def test_a_preview_keeps_subjects_and_checks_and_spends_little() -> None:
    plan = Plan(
        name="test", rows=9000, in_progress=256, subjects={"physics": Subject(topics=96), "biology": Subject(topics=2)}
    )
    small = reduced(plan, 5)
    assert (small.rows, small.in_progress, small.audits.rate) == (5, 5, 0)
    assert {name: subject.topics for name, subject in small.subjects.items()} == {"physics": 5, "biology": 2}
    assert small.verification == plan.verification


def test_help_version_and_completion_load_no_library_of_the_factory() -> None:
    code = "import sys, services.cli.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "aiokafka", "pyarrow", "deltalake", "redis", "aiohttp"} & set(loaded)
    assert chimera("-h") == chimera("--help")
    assert chimera("--version")[1].startswith("chimera 0.")


@pytest.mark.parametrize("group", ["", "check", "dataset", "dead-letters", "kafka", "plan", "train"])
def test_the_list_of_commands_cuts_no_summary(group: str) -> None:
    listed = chimera(*group.split(), "-h")[1].partition("Commands:")[2]
    assert listed
    assert "..." not in listed
