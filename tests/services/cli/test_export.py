"""chimera dataset export: what is loaded again equals the dataset."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from schemas.audit_tag import AuditTag
from schemas.config.policies import Benchmark, HeldOut
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.cli.dataset.export import command as command
from services.cli.dataset.export.record_formats import INSTRUCTION
from shared.dataset import Dataset
from shared.errors import Refusal
from shared.text.benchmarks import read_questions
from tests.services.cli.test_dataset import message as output
from tests.support.items import attempt, checked, judged, log, plan, rejected


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Three rows in (one after a wrong trace), one in reserve; one release."""
    sink = Curate(tmp_path / "dataset", "test", plan(3), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    wrong, cut, right = attempt(0, "no"), attempt(1, "yes", ("too_long",)), attempt(2)
    await sink.write(
        log(checked(0), checked(1), checked(2, attempts=(wrong, cut, right)), checked(3), rejected(9), partitions=1)
    )
    sink.outbox(None)
    return tmp_path


def loaded(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Splits as a reader of the card's header finds them."""
    header = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    found: dict[str, list[dict[str, Any]]] = {}
    for one in header["configs"][0]["data_files"]:
        for path in sorted(folder.glob(one["path"])):
            rows = pq.read_table(path).to_pylist() if path.suffix == ".parquet" else lines(path)
            found.setdefault(one["split"], []).extend(rows)
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def exported(home: Path, form: str, view: str, *more: str) -> dict[str, list[dict[str, Any]]]:
    out = home / "out" / f"{form}-{view}"
    output(home, "export", "--format", form, "--view", view, "--out", str(out), *more)
    return loaded(out)


@pytest.mark.parametrize("form", ["parquet", "hf", "jsonl"])
def test_all_rows_come_back_as_they_are(home: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SHARD_BYTES", 1)
    monkeypatch.setattr(command, "BATCH_ROWS", 2)
    found = exported(home, form, "all")
    assert all(0 < row.pop("belief") < 1 for row in found["train"])
    rows = list(Dataset.open(home / "dataset").rows.columns(*found["train"][0]))
    if form == "jsonl":
        rows = [{**row, "curated_at": row["curated_at"].isoformat()} for row in rows]
    assert sorted(found["train"], key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])
    assert len(list((home / "out" / f"{form}-all" / "data").iterdir())) > 1


def test_a_view_has_what_is_in_and_nothing_of_the_reserve(home: Path) -> None:
    assert [row["admission"] for row in exported(home, "parquet", "sft")["train"]] == ["in"] * 3
    assert len(exported(home, "parquet", "rl")["train"]) == 3
    assert len(exported(home, "parquet", "all")["train"]) == 4


def test_the_papers_columns_are_exactly_those_of_the_paper(home: Path) -> None:
    rows = exported(home, "chimera", "sft")["train"]
    assert rows[0] == {
        "index": 0,
        "subject": "mathematics",
        "topic": "lens spaces",
        "question": "What is 0?",
        "answer": "42",
        "solution": "<think>\nAttempt 0: so it goes\n</think>\n\nThe answer of attempt 0 is 42",
        "original_solution": "It is known.",
        "correctness": True,
    }
    assert [row["index"] for row in rows] == [0, 1, 2]


def test_verl_gets_prompt_and_ground_truth(home: Path) -> None:
    row = exported(home, "verl", "rl")["train"][1]
    assert row["prompt"] == [{"role": "user", "content": f"What is 1?\n\n{INSTRUCTION}"}]
    assert row["reward_model"] == {"style": "rule", "ground_truth": "42"}
    assert (row["data_source"], row["ability"]) == ("chimera/test", "mathematics")
    assert row["extra_info"]["id"] == str(checked(1).item.id)


def test_a_chat_has_thinking_in_tags_and_only_solutions_on_the_key(home: Path) -> None:
    rows = exported(home, "chat", "rl")["train"]
    assert [row["messages"] for row in rows] == [row["prompt"] + row["completion"] for row in rows]
    assert [rows[0]["messages"][0]["content"], rows[0]["completion"][0]["content"]] == [
        f"What is 0?\n\n{INSTRUCTION}",
        "<think>\nAttempt 0: so it goes\n</think>\n\nThe answer of attempt 0 is 42",
    ]
    assert "Attempt 0" not in rows[2]["completion"][0]["content"], "that attempt was wrong"


async def test_a_chat_leaves_out_a_row_that_nobody_solved(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(9), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(checked(0), checked(1, attempts=(attempt(0, "no"),)), partitions=1))
    assert len(exported(tmp_path, "parquet", "all")["train"]) == 2
    assert [row["id"] for row in exported(tmp_path, "chat", "all")["train"]] == [str(checked(0).item.id)]


async def test_before_the_first_release_an_export_has_the_rows_of_now(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(9), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(checked(0)))
    assert "no release yet" in output(tmp_path, "export", "--out", str(tmp_path / "out"))
    assert len(loaded(tmp_path / "out")["train"]) == 1
    with pytest.raises(Refusal, match="no release 1"):
        command.export(tmp_path, tmp_path / "other", "parquet", "sft", "1")


def test_preference_pairs_set_a_sound_trace_against_each_wrong_one(home: Path) -> None:
    (pair,) = exported(home, "parquet", "preference")["train"]
    assert pair["prompt"] == [{"role": "user", "content": "What is 2?"}]
    assert "Attempt 2" in pair["chosen"][0]["content"]
    assert "Attempt 0" in pair["rejected"][0]["content"]
    assert "verl has no preference pairs" in output(
        home, "export", "--format", "verl", "--view", "preference", "--out", str(home / "x"), status=1
    )


@pytest.mark.parametrize("held_out", [0.0, 0.999])
async def test_problems_of_every_split_are_one_benchmark_file(tmp_path: Path, held_out: float) -> None:
    wanted = plan(2).model_copy(update={"held_out": HeldOut(topics=held_out)})
    sink = Curate(tmp_path / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(*(checked(n) for n in range(3)), partitions=1))
    found = exported(tmp_path, "problems", "all", "--version", "now")
    file = tmp_path / "out" / "problems-all" / "data" / "problems-00000.jsonl"
    assert [row.keys() for row in found["problems"]] == [{"id", "problem"}] * 3
    assert sorted(read_questions("old", Benchmark(path=file))) == ["What is 0?", "What is 1?", "What is 2?"]


async def test_held_out_rows_are_a_split_of_their_own_and_in_no_training_view(tmp_path: Path) -> None:
    wanted = plan(2).model_copy(update={"held_out": HeldOut(topics=0.999)})
    sink = Curate(tmp_path / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(checked(0)))
    for view in ("all", "held_out"):
        assert list(exported(tmp_path, "hf", view, "--version", "now")) == ["held_out"]
    for view in ("sft", "rl", "preference"):
        out = str(tmp_path / view)
        assert "has no rows" in output(tmp_path, "export", "--view", view, "--version", "now", "--out", out, status=1)


def test_a_folder_appears_whole_or_not_at_all_and_is_never_written_into(home: Path) -> None:
    assert "has no rows" in output(home, "export", "--view", "held_out", "--out", str(home / "none"), status=1)
    assert not [path for path in home.iterdir() if "none" in path.name]
    (home / "mine").mkdir()
    (home / "mine" / "thesis.tex").write_text("years of work")
    assert "is not empty" in output(home, "export", "--out", str(home / "mine"), status=1)
    assert [path.name for path in (home / "mine").iterdir()] == ["thesis.tex"]


def test_a_benchmark_that_is_added_later_is_held_against_what_has_passed(home: Path) -> None:
    """By a plan that the folder was not run with; in the statistics, on the card, and with what to do."""
    (home / "exam.jsonl").write_text('{"question": "What is 1?"}\n{"question": "Who wrote the Iliad?"}\n')
    wanted = plan(3).model_copy(update={"benchmarks": {"exam": Benchmark(path=home / "exam.jsonl")}})
    (home / "later.yaml").write_text(yaml.safe_dump(wanted.model_dump(mode="json"), sort_keys=False))
    reported = json.loads(output(home, "stats", "--json"))["contamination"]
    assert (reported, "not checked" in output(home, "stats")) == ({}, True)
    found = json.loads(output(home, "stats", "--json", "--plan", str(home / "later.yaml")))["contamination"]["exam"]
    known = str(checked(1).item.id)
    assert (found["questions"], list(found["known"])) == (2, [known])
    text = output(home, "stats", "--plan", str(home / "later.yaml"))
    assert f"{known}  item 1 of exam" in text
    assert "chimera dataset delete" in text
    reported = output(home, "export", "--plan", str(home / "later.yaml"), "--out", str(home / "out"))
    assert "1 of them match a benchmark" in reported
    assert "| exam | 2 | 1 |" in (home / "out" / "README.md").read_text()
    (home / "later.yaml").rename(home / "plan.yaml")  # as if it had been run with it
    output(home, "export", "--out", str(home / "again"))
    card = (home / "again" / "README.md").read_text()
    assert "| exam | 2 | 1 |" in card
    assert "path: exam.jsonl" in card
    assert str(home) not in card, "a card is published"
    (home / "exam.jsonl").unlink()
    assert "cannot be read" in output(home, "stats", "--plan", str(home / "later.yaml"), status=1)


def test_the_card_says_first_that_all_is_simulated_then_what_was_measured(home: Path) -> None:
    summary = json.loads(output(home, "export", "--out", str(home / "out"), "--json"))
    assert (summary["rows"], summary["release"], summary["simulated"]) == (3, 1, 3)
    card = (home / "out" / "README.md").read_text()
    header, body = card.split("---\n")[1:3]
    assert yaml.safe_load(header)["license"] == "other"
    assert yaml.safe_load(header)["size_categories"] == ["n<1K"]
    assert body.lstrip().startswith("**SIMULATED")
    for expected in (
        f"| mathematics | 3 | {40 * '█'} 100.0% | 1 | 1 | 1.0 |",
        "| judge | model of judge | 3 |",
        "| malformed | 1 |",
        "11,121",
        "not checked",
        "$0.0",
    ):
        assert expected in body
    assert "--version 1" in body


@pytest.mark.parametrize(
    ("bins", "name", "label"),
    [
        (None, "medium", "difficulty (easy to 0.3, medium to 0.8, hard to 1): medium 1"),
        ({"gentle": 0.7, "fierce": 1.0}, "fierce", "difficulty (gentle to 0.7, fierce to 1): fierce 1"),
    ],
)
async def test_stats_audit_and_card_use_the_plans_difficulty_bins(
    tmp_path: Path, bins: dict[str, float] | None, name: str, label: str
) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(1), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(checked(0), judged(1, AuditTag(kind="sign", difficulty=0.75))))
    if bins:
        document = plan(1).model_dump(mode="json") | {"difficulty": {"bins": bins}}
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    assert json.loads(output(tmp_path, "stats", "--json"))["by_difficulty"] == {name: 1}
    audit = CliRunner().invoke(app, ["audit", "--json", "--dir", str(tmp_path)])
    assert list(json.loads(audit.stdout)["by_difficulty"]) == [name, "all"]
    exported(tmp_path, "jsonl", "all", "--version", "now")
    assert label in (tmp_path / "out" / "jsonl-all" / "README.md").read_text()
