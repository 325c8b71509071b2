"""Benchmark files, and how much of their questions is found in problems."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.config.policies import Benchmark
from services.cli.common import run_config
from shared.errors import Refusal
from shared.text.benchmarks import read_questions
from shared.text.contamination import Benchmarks
from shared.text.overlap import Overlaps
from tests.support.duplicates import EDITED, SHORT, bank, edited_in

ROWS: list[dict[str, Any]] = [
    {"id": 1, "Question": "What is it,\nreally?"},
    {"id": "2", "Question": None},
    {"id": 3, "Question": "Who?"},
]


def lines(path: Path) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n\n" for row in ROWS))


def table(path: Path) -> None:
    path.write_text('\ufeffid,Question\n1,"What is it,\nreally?"\n2,\n3,Who?\n', encoding="utf-8")


def columns(path: Path) -> None:
    parquet.write_table(pa.table({"Question": [row["Question"] for row in ROWS]}), path)


@pytest.mark.parametrize(("name", "write"), [("a.jsonl", lines), ("a.CSV", table), ("a.parquet", columns)])
def test_every_kind_of_file_gives_the_same_questions_in_order(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    expected = ["What is it,\nreally?", "", "Who?"]
    assert read_questions("b", Benchmark(path=tmp_path / name)) == expected
    assert read_questions("b", Benchmark(path=tmp_path / name, column="Question")) == expected


@pytest.mark.parametrize(
    ("name", "content", "column", "reported"),
    [
        ("a.jsonl", None, None, "The benchmark b cannot be read: "),
        ("a.txt", "What?", None, "is not a file of records: .jsonl, .ndjson, .json, .csv, .parquet, .arrow are read"),
        ("a.jsonl", "{", None, "The benchmark b cannot be read: "),
        ("a.jsonl", "[1]", None, "a.jsonl: line 1: not a JSON object. Correct the file or benchmarks.b in the plan"),
        ("a.jsonl", "", None, "has no column of questions; it has no rows"),
        ("a.csv", "id,task\n1,What?\n", None, "has no column of questions; it has id, task. Name it as `column` of"),
        ("a.csv", "id,question\n1,What?\n", "task", "has no column 'task'; it has id, question"),
        ("a.parquet", "no parquet", None, "The benchmark b cannot be read: "),
        ("a.jsonl", "\0\udc80\udcff", None, "The benchmark b cannot be read: "),
        ("a.csv", "\0\udc80\udcff", None, "The benchmark b cannot be read: "),
    ],
)
def test_an_invalid_benchmark_file_is_refused_before_the_start(
    tmp_path: Path, name: str, content: str | None, column: str | None, reported: str
) -> None:
    path, plan = tmp_path / name, tmp_path / "plan.yaml"
    if content is not None:
        path.write_bytes(content.encode(errors="surrogateescape"))
    given = Benchmark(path=path, column=column)
    plan.write_text(f"name: mine\nrows: 3\nsubjects: {{physics: {{}}}}\nbenchmarks: {{b: {given.model_dump_json()}}}\n")
    with pytest.raises(Refusal) as refusal:
        run_config.load(plan, None)
    assert reported in str(refusal.value)
    assert "\n" not in refusal.value.message
    assert "benchmarks.b in the plan" in refusal.value.next_step
    with pytest.raises(Refusal):
        Benchmarks.load({"b": given})
    lines(tmp_path / "corrected.jsonl")
    plan.write_text(plan.read_text().replace(str(path), "corrected.jsonl").replace('"task"', '"Question"'))
    assert read_questions("b", run_config.load(plan, None).benchmarks["b"])[2] == "Who?"


@pytest.mark.parametrize("how", EDITED)
def test_at_least_95_percent_of_lightly_edited_items_are_found(how: str) -> None:
    rng = Random(7)
    items = [one.statement for one in rng.sample(bank(), 100)]
    known = Benchmarks({"test": Overlaps([*SHORT, *items])})
    found = [known.find_match(EDITED[how](rng, item)) for item in items]
    assert sum(match is not None for match in found) >= 95
    assert [at for at, match in enumerate(found) if match and match.overlap.item != at + len(SHORT)] == []


def test_a_short_item_is_found_inside_a_longer_edited_problem() -> None:
    rng = Random(7)
    known = Benchmarks({"test": Overlaps(SHORT)})
    found = [known.find_match(edited_in(rng, item)) for item in SHORT for _ in range(10)]
    assert sum(match is not None for match in found) >= 0.95 * len(found)
    assert known.find_match("Which of the noble gases forms a compound with fluorine at room temperature?") is None


def test_no_problem_is_known_from_a_benchmark_of_other_problems() -> None:
    """Short questions and one half of the subjects as the benchmark, the other half as problems."""
    problems = [one.statement for one in bank()]
    known = Benchmarks({"short": Overlaps(SHORT), "long": Overlaps(problems[:5400:10])})
    assert [match for text in problems[6000::10] if (match := known.find_match(text))] == []


def test_figures_are_those_of_sets_of_runs_of_words() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmn"]
    index = Overlaps([" ".join(words), "nothing"])
    found = index.closest(" ".join(words[:13]))
    assert found
    assert (found.item, found.contained) == (0, 1.0)
    assert (found.jaccard_8, found.jaccard_13) == (6 / 7, 1 / 2)
    assert index.closest("quite different") is None


def test_a_question_over_a_limit_is_found_next_to_a_nearer_one() -> None:
    dice = Random(1)
    letters = ("bcdfghjklmnpqrstvwxz", "aeiou")
    words = ["".join(dice.choice(kind) for _ in range(3) for kind in letters) for _ in range(400)]
    statement = words[:60]
    near = " ".join(w if at % 6 != 5 and at not in (2, 14) else words[100 + at] for at, w in enumerate(statement))
    known = " ".join(words[200:226] + statement[36:52] + words[230:240])
    assert Benchmarks({"exam": Overlaps([near])}).find_match(" ".join(statement)) is None
    for loaded in ([known], [near, known], [known, near]):
        match = Benchmarks({"exam": Overlaps(loaded)}).find_match(" ".join(statement))
        assert match is not None
        assert match.overlap.item == loaded.index(known)
    both = Benchmarks({"one": Overlaps([near]), "other": Overlaps([known])}).find_match(" ".join(statement))
    assert both is not None
    assert both.benchmark == "other"
