"""Datasets that others publish, and a factory's exports, are read as the tables are, and train a model."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.events import ProblemDrafted, SolutionChecked
from services.aggregator.handler import Curate
from services.cli.dataset.export.command import export
from services.cli.evidence.import_file import ImportFile, ImportOptions
from shared.dataset import Dataset, Row
from shared.errors import Refusal
from tests.support.items import attempt, log, plan, verdict
from tests.trainer import clock
from trainer import files
from trainer.data import describe, read_rows
from trainer.example import TOPIC, TRAIN
from trainer.metrics.grading import GradedProblem
from trainer.phases import evaluate, sft
from trainer.recipe import Evaluate, HeldOut, Recipe
from trainer.run.run_folder import Run

NOTHING_HELD_OUT = HeldOut(topics=0, clusters=0, validation=0)


def published(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows in the columns of the CHIMERA paper's dataset."""
    return [
        {
            "index": number,
            "subject": row.subject,
            "topic": row.topic,
            "question": row.problem,
            "answer": row.answer,
            "solution": f"<think>\n{row.reasoning}\n</think>\n\n{row.solution}",
            "original_solution": "",
            "correctness": number % 5 != 0,
        }
        for number, row in enumerate(rows)
    ]


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_published_dataset_trains_a_model_and_counts_what_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = published(clock.rows(100, (3,), seed=1))
    file = tmp_path / "chimera.parquet"
    records += [{**records[1], "index": 100}, {**records[2], "index": 101, "question": "2+2?", "solution": "4"}]
    parquet.write_table(pa.Table.from_pylist(records), file)
    base = str(clock.newborn(tmp_path / "base"))
    recipe = {**clock.RECIPE, "base": base, "sft": {**clock.TAUGHT, "epochs": 1}, "held_out": NOTHING_HELD_OUT}
    run = Run(tmp_path / "run", Recipe.model_validate(recipe), file, None)
    found = run.run_once("sft", sft.train)
    assert found["train"]["rows"] == 80
    assert sum(row.is_rl_only for row in run.examples) == 20
    log = capsys.readouterr().err
    assert "100 rows; left out: 1 the same problem again, 1 no thinking in <think>, or no solution after it" in log
    other = [{**one, "solution": f"<think>x</think>{one['answer']}"} for one in records[:100]]
    file = write_lines(tmp_path / "other.jsonl", other)
    with pytest.raises(Refusal, match="holds a run with other contents"):
        Run(run.folder, run.recipe, file, None).run_once("rl_set", lambda _: {})


def test_the_forms_of_one_dataset_give_the_same_examples(tmp_path: Path) -> None:
    rows = list(clock.rows(20, (3,), seed=1))
    records = [one | {"correctness": True} for one in published(rows)]
    lines = write_lines(tmp_path / "a.jsonl", records)
    (tmp_path / "hub" / "data").mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(records), tmp_path / "hub" / "data" / "train-00000.parquet")
    (tmp_path / "hub" / "dataset_infos.json").write_text("{}")
    chats = [
        {"messages": [{"role": "user", "content": one["question"]}, {"role": "assistant", "content": one["solution"]}]}
        for one in records
    ]
    chat = write_lines(tmp_path / "chat.jsonl", chats)
    expected = [(row.problem, row.answer, row.reasoning, row.solution) for row in rows]
    for dataset in (lines, tmp_path / "hub", chat):
        found = read_rows(dataset, None, NOTHING_HELD_OUT)
        texts = [(one.problem, one.answer, one.reasoning, one.solution) for one in found.examples]
        assert (sorted(texts), describe(found.left_out)) == (sorted(expected), "nothing")
        assert all(one.is_for_sft and one.simulated is None for one in found.examples)
    assert not any(one.split == TOPIC for one in read_rows(chat, None, HeldOut(topics=0.9, at_least=1)).examples)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_an_export_of_a_factory_is_read_as_its_tables_are(tmp_path: Path, form: str) -> None:
    held_out = [clock.row(number, 3, random.Random(number), split="held_out") for number in range(3)]
    clock.grow(tmp_path / "dataset", [*held_out, *clock.rows(20, (3,), seed=1, start=100)])
    export(tmp_path, tmp_path / "out", form, "all", "now")
    tables = read_rows(tmp_path / "dataset", None, HeldOut()).examples
    files = read_rows(tmp_path / "out", None, HeldOut()).examples
    assert files == tables
    assert len(tables) == len(Dataset.open(tmp_path / "dataset").rows)
    assert {one.split for one in files} >= {TRAIN}


def test_files_without_usable_rows_are_refused_with_the_reasons(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "a.jsonl", [{"text": "hello"}] * 3)
    with pytest.raises(Refusal, match=r"has 0 rows to train on.*; left out: 3 unknown columns"):
        read_rows(file, None, HeldOut())
    with pytest.raises(Refusal, match="no version, no condition"):
        read_rows(file, 3, HeldOut())


def test_a_name_on_the_hub_is_downloaded_and_an_unknown_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "train.jsonl", published(clock.rows(20, (3,), seed=1)))

    def download(name: str, **_: Any) -> str:
        if name != "lab/CHIMERA":
            raise OSError(f"404 Client Error for {name}\nRequest ID: 1")
        return str(tmp_path)

    monkeypatch.setattr(files, "snapshot_download", download)
    assert len(read_rows("lab/CHIMERA", None, NOTHING_HELD_OUT).examples) == 20
    with pytest.raises(
        Refusal, match="no dataset of that name can be had from the hub: 404 Client Error for lab/other"
    ):
        read_rows("lab/other", None, NOTHING_HELD_OUT)


async def test_an_imported_file_trains_as_any_dataset(tmp_path: Path) -> None:
    path, both = tmp_path / "own.jsonl", (verdict("verifier-a"), verdict("verifier-b"))
    lines = [{"problem": f"How many spaces have property {n}, up to isometry of it?", "answer": "42"} for n in range(4)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    wanted = plan(4)
    options = ImportOptions(wanted, "test", subject="mathematics")
    drafts = [one for one in ImportFile.open(path, {}).read(options) if isinstance(one, ProblemDrafted)]
    believed = {"tier": "verified", "verdicts": both, "attempts": (attempt(),)}
    ends = [SolutionChecked.of(one, "answer_checker", one.item.with_(**believed), final=True) for one in drafts]
    sink = Curate(tmp_path / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(*ends))
    export(tmp_path, tmp_path / "mine", "parquet", "imported", "now")
    rows = read_rows(tmp_path / "mine", None, NOTHING_HELD_OUT)
    assert sorted(one.problem for one in rows.examples) == [one["problem"] for one in lines]
    assert {one.answer for one in rows.examples} == {"42"}


def test_a_dataset_without_subfields_is_scored_by_subject_alone(tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "a.jsonl", published(clock.rows(20, (3,), seed=1)))
    examples = read_rows(lines, None, NOTHING_HELD_OUT).examples
    graded = [GradedProblem(one.id, samples=2, right=1, unsure=0, truncated=0, tokens=9, cost=None) for one in examples]
    recipe = Recipe(base="none", evaluate=Evaluate(samples=2, ks=(1,)))
    scores = list(evaluate._score_parts(recipe.evaluate, "sft", examples, graded, evaluate.PARTS))
    assert [(one["kind"], one["part"]) for one in scores] == [("all", "all"), ("split", TRAIN), ("subject", "clocks")]
