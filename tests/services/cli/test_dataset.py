"""chimera dataset: what a person reads."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.events import SolutionChecked
from schemas.item import Adjudication, Step
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.cli.common.sanitize_terminal import fold
from shared.text.controls import strip_controls
from tests.support.items import attempt, checked, log, plan, rejected

LONG = "\n".join(f"line {number}" for number in range(100))


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A dataset with rows in three states, a rejected item and one that took two attempts."""
    wanted = plan(2, "mathematics", "physics")
    sink = Curate(tmp_path / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    first, second = attempt(0, "no", text=LONG), attempt(1, text="[bold]so\x1b[2J it goes[/bold]")
    await sink.write(
        log(
            checked(0),
            adjudicated(checked(1)),
            checked(2, attempts=(first,), final=False),
            checked(2, attempts=(first, second)),
            checked(3, "physics", tier="unsolved"),
            rejected(4, "repeat"),
        )
    )
    return tmp_path


def adjudicated(event: SolutionChecked) -> SolutionChecked:
    chosen = {"role": "adjudicator", "model": "third", "rival": "41", "chosen": "key", "key_first": True}
    adjudication = Adjudication.model_validate({**chosen, "reason": "It is 42."})
    step = Step(service="adjudicator", event=event.id, type="evidence.given", adjudication=adjudication)
    return event.with_(item=event.item.with_(lineage=(step, *event.item.lineage)))


def message(home: Path, *arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["dataset", *arguments, "--dir", str(home)], env={"COLUMNS": "120"})
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def test_stats_add_up(home: Path) -> None:
    stats = json.loads(message(home, "stats", "--json"))
    assert stats["by_subject"] == {
        "mathematics": {"in": 1, "reserve": 2, "aside": 0},
        "physics": {"in": 0, "reserve": 0, "aside": 1},
    }
    assert (stats["rows"], stats["rejected"], stats["further_attempts"]) == (4, {"repeat": 1}, 1)
    assert stats["yield"] == 0.8
    assert stats["rejected_by_subject"] == {"mathematics": 1}
    maths = stats["coverage"]["mathematics"]
    assert (maths["rows"], maths["topics"], maths["clusters"]) == (3, 1, 1)
    assert maths["by_topic"] == {"lens spaces": {"rows": 3, "clusters": 1}}
    assert stats["tokens"] == {"known": 500.0, "unknown_items": 0}


def test_stats_stand_next_to_the_paper_and_say_that_they_are_simulated(home: Path) -> None:
    text = message(home, "stats")
    for expected in ("SIMULATED", "mathematics", "Rejected     repeat 1", "11,121", "80%", "$0.05"):
        assert expected in text
    assert len(text.splitlines()) < 40, "it fits on a screen"


def test_show_explains_a_row(home: Path) -> None:
    text = message(home, "show", str(checked(0).item.id)[:8])
    for expected in (
        "SIMULATED",
        "What is 0?",
        "both hit the key",
        "blind 1: miss 41",
        "blind 2: hit  42",
        "yes unique answer",
        "verifier-b thinks so",
        "solution.checked by answer_checker",
        "model of judge, judge.md@c0ffee00, 100 tokens, $0.0100",
    ):
        assert expected in text


def test_show_says_what_an_adjudicator_chose(home: Path) -> None:
    text = message(home, "show", str(checked(1).item.id))
    assert "adjudicator (third) chose the key, not 41: It is 42." in text


def test_show_folds_long_thinking_and_obeys_nothing_that_a_model_wrote(home: Path) -> None:
    id_ = str(checked(2).item.id)
    text = message(home, "show", id_)
    assert "line 50" not in text
    assert "90 more lines" in text
    assert "[bold]so it goes[/bold]" in text
    assert "\x1b" not in text + message(home, "show", id_, "--json")
    assert "line 50" in message(home, "show", id_, "--full")


def test_show_tells_why_an_item_was_rejected(home: Path) -> None:
    id_ = str(rejected(4).item.id)
    text = message(home, "show", id_)
    assert "rejected by screening: repeat: It will not do." in text
    document = json.loads(message(home, "show", id_, "--json"))
    assert document["row"] is None
    assert document["ledger"][0]["item"]["problem"]["statement"] == "What is 4?"


def test_what_is_not_there_is_refused_with_a_next_step(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert "no item" in message(home, "show", "zzz", status=1)
    assert "ambiguous" in message(home, "show", "", status=1)
    text = message(tmp_path_factory.mktemp("empty"), "stats", status=1)
    assert "no dataset" in text
    assert "chimera run" in text


def test_plots_are_drawn_from_what_the_dataset_has(home: Path, tmp_path: Path) -> None:
    message(home, "stats", "--plots", str(tmp_path / "first"))
    message(home, "stats", "--plots", str(tmp_path / "again"))
    files = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert {name for name in files if name.endswith(".svg")} == {
        "belief.svg",
        "coverage.svg",
        "difficulty.svg",
        "funnel.svg",
        "lengths.svg",
    }
    assert all(data.startswith(b"<?xml" if name.endswith("svg") else b"%PDF") for name, data in files.items())
    assert b"mathematics" in files["coverage.svg"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == files


def test_terminal_sequences_and_turned_writing_are_taken_out() -> None:
    assert strip_controls("a\x1b[31mb\x1b]0;title\x07c\x9b\u202ed\te\x00") == "abcd\te"
    assert fold("1\n2\n3") == "1\n2\n3"
