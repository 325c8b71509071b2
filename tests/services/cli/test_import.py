"""`chimera import` before anything is sent: what a file has, what is refused and why, and one run at a time."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.config.plan import Plan, Subject
from schemas.events import ProblemDrafted
from services.cli.__main__ import app
from services.cli.evidence.import_file import ImportFile, ImportOptions, Refused
from services.cli.evidence.run_lock import hold_lock

PLAN = Plan(name="test", rows=4, subjects={"mathematics": Subject()})
PROBLEM = "How many lens spaces have a fundamental group of order seven, up to homeomorphism?"
RECORD = {"problem": PROBLEM, "answer": "2"}


def file_of(folder: Path, *records: dict[str, Any] | str) -> Path:
    path = folder / "own.jsonl"
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in records))
    return path


def read(path: Path, **options: Any) -> list[ProblemDrafted | Refused]:
    file = ImportFile.open(path, options.pop("columns", {}))
    return list(file.read(ImportOptions(plan=PLAN, factory="test", **options)))


def chimera(folder: Path, *arguments: object) -> Result:
    place = ["--dir", folder / "home", "--json"]
    return CliRunner().invoke(app, ["import", *map(str, [*arguments, *place])])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("{", "unreadable"),
        ({**RECORD, "answer": ""}, "incomplete"),
        ({**RECORD, "problem": ""}, "incomplete"),
        ({**RECORD, "problem": "6*7?"}, "too_short"),
        (
            {**RECORD, "answer": "It is two. One sees this by counting the classes of units. They are two."},
            "answer_too_long",
        ),
        ({**RECORD, "answer": "x" * 400}, "answer_too_long"),
        ({**RECORD, "problem": f"{PROBLEM} (A) 1 (B) 2 (C) 3 (D) 4"}, "multiple_choice"),
        ({**RECORD, "choices": ["1", "2"]}, "multiple_choice"),
        (RECORD, "repeat"),
        ({**RECORD, "problem": PROBLEM.upper()}, "repeat"),
    ],
)
def test_each_record_that_is_no_problem_has_its_reason(tmp_path: Path, record: Any, reason: str) -> None:
    first, second = read(file_of(tmp_path, RECORD, record))
    assert isinstance(first, ProblemDrafted)
    assert isinstance(second, Refused)
    assert (second.line, second.reason) == (2, reason)


def test_the_same_text_is_the_same_event_whatever_file_it_is_in(tmp_path: Path) -> None:
    [first] = read(file_of(tmp_path, RECORD))
    (tmp_path / "other").mkdir()
    [other] = read(file_of(tmp_path / "other", {"question": PROBLEM.lower(), "final_answer": "2"}))
    assert isinstance(first, ProblemDrafted)
    assert isinstance(other, ProblemDrafted)
    assert first.id == other.id
    assert first.item.source


def test_subjects_come_from_columns_options_or_are_imported(tmp_path: Path) -> None:
    stated = {**RECORD, "subject": "Mathematics", "topic": "topology"}
    path = file_of(tmp_path, stated, {**RECORD, "problem": f"Again: {PROBLEM}"})
    found = [one.item.topic for one in read(path) if isinstance(one, ProblemDrafted)]
    assert [(topic.subject, topic.name) for topic in found] == [("mathematics", "topology"), ("imported", "imported")]
    named = [one.item.topic.subject for one in read(path, subject="physics") if isinstance(one, ProblemDrafted)]
    assert named == ["mathematics", "physics"]
    refused = [one for one in read(path, counts=True) if isinstance(one, Refused)]
    assert [one.reason for one in refused] == ["unknown_subject"]


def test_an_imported_text_is_neutralised_and_keeps_its_lines(tmp_path: Path) -> None:
    text = "\n    for i in range(3):\n\tprint(i)\r\n\nHow many lines <|im_end|>\u200bdoes it print?\n"
    path = file_of(tmp_path, {"problem": text, "answer": "3</s>", "subject": "a\nb", "topic": "<think>"})
    [one] = read(path)
    assert isinstance(one, ProblemDrafted)
    lines = "    for i in range(3):\n\tprint(i)\r\n\nHow many lines < |im_end|>[U+200B]does it print?"
    assert (one.item.written.statement, one.item.written.answer) == (lines, "3< /s>")
    assert (one.item.topic.subject, one.item.topic.name) == ("a b", "< think>")


def test_a_solution_is_an_attempt_that_is_not_checked_yet(tmp_path: Path) -> None:
    [one] = read(file_of(tmp_path, {**RECORD, "solution": "<think>Units mod 7.</think>So \\boxed{2}."}))
    assert isinstance(one, ProblemDrafted)
    [attempt] = one.item.attempts
    assert (attempt.reasoning, attempt.solution, attempt.answer) == ("Units mod 7.", "So \\boxed{2}.", "2")
    assert (attempt.agrees, attempt.is_imported, one.item.own_attempts) == (None, True, ())


def test_a_dry_run_counts_what_would_be_sent_and_sends_nothing(tmp_path: Path) -> None:
    result = chimera(
        tmp_path, file_of(tmp_path, RECORD, RECORD, {**RECORD, "problem": f"Again: {PROBLEM}"}), "--dry-run"
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["problems"], found["new"], found["refused"]) == (2, 2, {"repeat": 1})
    assert {need["role"] for need in found["needs"]} >= {"verifier_a", "verifier_b", "solver"}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["own.xml"], 1, "is not a file of records"),
        (["missing.jsonl"], 1, "cannot be read"),
        (["unknown.jsonl"], 1, "has the columns text, which no known form has"),
        (["empty.jsonl"], 1, "has no record"),
        (["short.jsonl"], 1, "has no problem that can be imported: 1 too_short"),
        (["own.jsonl", "--column", "problem=Frage", "--column", "answer=answer"], 1, "has no column Frage"),
        (["own.jsonl", "--column", "problem=problem"], 1, "a problem needs a text and a key"),
        (["own.jsonl", "--column", "key=answer"], 2, "give PART=NAME"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    contents = {"own": RECORD, "unknown": {"text": PROBLEM}, "short": {**RECORD, "problem": "6*7?"}}
    for name, record in contents.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record))
    for name in ("own.xml", "empty.jsonl"):
        (tmp_path / name).touch()
    result = chimera(tmp_path, tmp_path / arguments[0], *arguments[1:])
    assert result.exit_code == status
    assert words in " ".join(result.stderr.split())


def test_a_second_run_names_the_run_that_holds_the_lock(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom services.cli.evidence.run_lock import hold_lock\n"
        f"with hold_lock(pathlib.Path({str(tmp_path)!r}), 'chimera import a.jsonl'): print('held', flush=True); input()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdin
    assert holder.stdout.readline() == "held\n"
    (tmp_path / "home").symlink_to(tmp_path)
    result = chimera(tmp_path, file_of(tmp_path, RECORD))
    assert result.exit_code == 1
    assert f"another run is under way: chimera import a.jsonl (pid {holder.pid}" in " ".join(result.stderr.split())
    holder.kill()  # a lock ends with its process
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with hold_lock(tmp_path, "another"):
        pass
