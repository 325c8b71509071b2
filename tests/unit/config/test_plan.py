"""A plan from YAML, and what a person reads when it is wrong."""

from pathlib import Path

import pytest

from schemas.config.plan import Plan
from services.cli.common import run_config
from services.cli.common.options import plan_file, shipped
from services.planner.plans import DEMO
from shared.config.plan_loader import load_plan
from shared.config.topics_loader import read_topics
from shared.errors import Refusal

GOOD = "name: mine\nrows: 3\nsubjects:\n  physics: {}\n"


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(Refusal) as refusal:
        load_plan(path)
    return refusal.value.message.replace(f"{path}:", "").splitlines()


def test_the_demo_asks_for_forty_rows_half_of_them_mathematics() -> None:
    plan = load_plan(DEMO)
    assert sum(plan.quotas().values()) == plan.rows == 40
    assert plan.quotas()["mathematics"] == 19
    assert len(plan.quotas()) == 8
    assert min(plan.quotas().values()) >= 1


def test_benchmarks_lie_next_to_the_plan_and_may_name_their_column(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(GOOD + "benchmarks:\n  aime: files/aime.jsonl\n  gpqa: {path: /data/gpqa.csv, column: Question}\n")
    aime, gpqa = load_plan(path).benchmarks.values()
    assert (aime.path, aime.column) == (tmp_path / "files" / "aime.jsonl", None)
    assert (gpqa.path, gpqa.column) == (Path("/data/gpqa.csv"), "Question")


def test_every_shipped_plan_is_valid_and_found_by_its_name() -> None:
    assert {name: load_plan(path).name for name, path in shipped().items()} == {
        name: name for name in ("demo", "chimera", "forever")
    }
    assert plan_file(Path("chimera")) == shipped()["chimera"]
    assert plan_file(Path("mine.yaml")) == Path("mine.yaml")
    for path in shipped().values():
        schema = path.read_text().splitlines()[0].partition("$schema=")[2]
        assert (path.parent / schema).resolve().name == "plan.json"
        assert (path.parent / schema).exists()


def test_the_plan_of_the_paper_has_its_rows_topics_and_subject_shares() -> None:
    plan = load_plan(shipped()["chimera"])
    assert plan.rows == sum(plan.quotas().values()) == 9225
    assert sum(subject.topics for subject in plan.subjects.values()) == 1179
    assert [subject.topics for subject in plan.subjects.values()] == [574, 165, 139, 96, 64, 53, 48, 40]
    assert plan.quotas()["mathematics"] / plan.rows == pytest.approx(0.483, abs=0.0005)


def test_a_plan_for_ever_is_the_same_after_it_was_written_down() -> None:
    plan = load_plan(shipped()["forever"])
    assert plan.endless
    again = Plan.model_validate_json(plan.model_dump_json())
    assert (again, again.hash) == (plan, plan.hash)
    assert plan.model_dump(mode="json")["rows"] == "forever"


def test_all_errors_are_reported_together_with_line_and_key(tmp_path: Path) -> None:
    text = "name: mine\nrows: 0\nsubjects:\n  mathmatics: {wieght: 2}\n  physics: {weight: -1}\nsolving:\n  trace: 2\n"
    assert mistakes(tmp_path, text) == [
        "2: rows: should be greater than or equal to 1 (it is 0)",
        "4: subjects.mathmatics: unknown subject; did you mean mathematics? Or describe it with `about:`",
        "4: subjects.mathmatics.wieght: no such key; did you mean weight?",
        "5: subjects.physics.weight: should be greater than 0 (it is -1)",
        "7: solving.trace: no such key; did you mean traces?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "rows: 5\n", ["5: rows: duplicate key; the first is in line 2"]),
        (GOOD + "  physics: {}\n", ["5: subjects.physics: duplicate key; the first is in line 4"]),
        (GOOD + "name2: [1\n", ["6: not valid YAML: expected ',' or ']', but got '<stream end>'"]),
        (GOOD + "row: 5\n", ["5: row: no such key; did you mean rows?"]),
        (GOOD.replace("rows: 3\n", ""), ["1: rows: is missing"]),
        (GOOD.replace("rows: 3", "rows: many"), ["2: rows: should be a valid integer, unable to parse string as an "]),
        (GOOD.replace("mine", "My Plan"), ["1: name: String should match pattern"]),
        (
            GOOD + "verification:\n  accept: {dpo: [verified]}\n",
            ["6: verification.accept.dpo: should be 'sft' or 'rl'"],
        ),
        (
            GOOD + "audits: {rate: 2, controls: good.jsonl}\n",
            ["5: audits.controls: give an absolute path, from /: services run", "5: audits.rate: should be less than"],
        ),
        (GOOD + "difficulty:\n  at_most: {easy: 0.2}\n", ["1: difficulty.at_most needs solving.probe_attempts: "]),
        (
            GOOD.replace("rows: 3", "rows: forever")
            + "solving: {probe_attempts: 4}\ndifficulty:\n  at_most: {easy: 0.2}\n",
            ["1: difficulty.at_most is a share of the rows, and `rows: forever` has no number of them"],
        ),
        (
            GOOD.replace("rows: 3", "rows: forever") + "releases: {train_at: 0.5}\n",
            ["1: releases.train_at is a share of the rows, and `rows: forever` has no number of them"],
        ),
        (GOOD.replace("{}", "{topics: 0}"), ["1: physics with `topics: 0` needs a file of topics"]),
        (GOOD + "topics: mine.csv\n", ["5: topics: give an absolute path, from /"]),
        (GOOD + "solving: {harder: 1, probe_attempts: 4}\n", ["1: solving.harder needs probe_attempts, and max_base"]),
        (
            GOOD + "difficulty:\n  at_most: {eassy: 0.2}\n",
            ["5: difficulty: at_most has unknown bins: eassy; the bins are easy"],
        ),
        (GOOD + "difficulty:\n  bins: {easy: 0.3}\n", ["5: difficulty: the upper ends of bins must increase"]),
        (
            GOOD + "difficulty:\n  at_most: {easy: 0.2, medium: 0.2, hard: 0.5}\n",
            ["5: difficulty: at_most has no room for all rows"],
        ),
        (
            "name: mine\nrows: 3\nheld_out: {topics: 0.1}\nsubjects:\n  physics: {topics: 2}\n",
            ["1: 'physics' has so few topics that all of them may be held out: give it more, or hold out fewer"],
        ),
        ("- a\n- b\n", ["1: a plan is a mapping with name, rows and subjects"]),
        ("", ["1: a plan is a mapping with name, rows and subjects"]),
        ("name: a\nrows: 3\nsubjects:\n", ["3: subjects: should be a valid dictionary (it is None)"]),
        ("name: a\nrows: 3\nsubjects: {}\n", ["3: subjects: Dictionary should have at least 1 item"]),
        (
            "name: a\nrows: 3\nsubjects: {7: {}}\n",
            ["3: subjects.7: should be", "3: subjects.7: unknown"],
        ),
        ("name: a\x00\n", ["1: not valid YAML: unacceptable character"]),
        ("? [a, b]\n: 1\n", ["1: not valid YAML: found unhashable key"]),
        (GOOD.replace("{}", ""), ["4: subjects.physics: should be a valid dictionary"]),
        (
            GOOD.replace("physics", "music"),
            ["4: subjects.music: unknown subject; the known ones are mathematics, physics"],
        ),
    ],
)
def test_an_error_names_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_a_missing_file_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read: No such file"):
        load_plan(tmp_path / "plan.yaml")


def test_a_subject_of_ones_own_needs_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(GOOD.replace("physics: {}", "music theory: {about: harmony}"))
    assert load_plan(path).about("music theory") == "harmony"


COLUMNS = "subject,field,subfield,topic\n"
TOPICS = {
    "excel.csv": "\ufeff" + COLUMNS.replace(",", ";") + "physics;Optics;Lasers;Mode locking\r\n"
    'physics;Optics;Lasers;"Soliton\n combs"\r\n',
    "separators.jsonl": "\ufeff"
    '{"subject": "physics", "field": "Optics", "subfield": "Lasers", "topic": "Mode locking"}\n\n'
    '{"subject": "physics", "field": "Optics", "subfield": "Lasers", "topic": "Soliton\u2028combs"}\n\n',
    "t.csv": COLUMNS + "physics,Optics,Lasers,Mode locking\nphysics,Optics,Lasers,Soliton combs\n",
    "t.jsonl": '{"subject": "physics", "field": "Optics", "subfield": "Lasers", "topic": "Mode locking"}\n'
    '{"subject": "physics", "field": "Optics", "subfield": "Lasers", "topic": "Soliton combs"}\n',
    "t.yaml": "- {subject: physics, field: Optics, subfield: Lasers, topic: Mode locking}\n"
    "- {subject: physics, field: Optics, subfield: Lasers, topic: Soliton combs}\n",
}


@pytest.mark.parametrize("name", TOPICS)
def test_topics_of_ones_own_are_read_in_each_form(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(TOPICS[name])
    topics = read_topics(tmp_path / name, ["physics"])
    assert [(one.subject, one.field, " ".join(one.name.split())) for one in topics] == [
        ("physics", "Optics", "Mode locking"),
        ("physics", "Optics", "Soliton combs"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "output"),
    [
        (
            "t.csv",
            TOPICS["t.csv"] + "physic,Optics,Lasers,Q\n",
            ["4: subject: the plan has no 'physic'; did you mean ph"],
        ),
        ("t.csv", TOPICS["t.csv"] + "physics,A,B,mode  Locking\n", ["4: topic: duplicate; the first is in line 2"]),
        (
            "t.csv",
            COLUMNS + "physics,A\nphysics,A,B,C,D\n",
            ["2: has 2 cells, and the first line has 4", "3: has 5 cells, and the first line has 4"],
        ),
        ("t.jsonl", TOPICS["t.jsonl"] + "mode locking\n", ["3: not JSON: Expecting value"]),
        (
            "t.yaml",
            TOPICS["t.yaml"] + "- {subject: physics, topic: C}\n",
            ["3: field: Field required; subfield: Field"],
        ),
        ("t.yaml", "a: 1\n", [" cannot be read as topics: not a list"]),
        ("t.txt", "a\n", [" cannot be read as topics: "]),
        ("t.yaml", "[" * 3000, [" cannot be read as topics: line 1: nested more than 50 levels deep"]),
        ("t.yaml", "- &a [*a]\n", [" cannot be read as topics: line 1: an alias refers to what it is part of"]),
        ("t.csv", COLUMNS, [" has no topics"]),
    ],
)
def test_a_bad_line_of_topics_is_refused_by_its_number(tmp_path: Path, name: str, text: str, output: list[str]) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(Refusal) as refusal:
        read_topics(path, ["physics"])
    lines = refusal.value.message.splitlines()
    assert len(lines) == len(output), lines
    for line, start in zip(lines, output, strict=True):
        assert line.startswith(f"{path}:{start}")


def test_a_plan_with_bad_topics_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(COLUMNS + "physics,A,B\n")
    (tmp_path / "plan.yaml").write_text(GOOD + f"topics: {tmp_path}/t.csv\n")
    with pytest.raises(Refusal, match=r"t\.csv:2: has 3 cells, and the first line has 4"):
        run_config.load(tmp_path / "plan.yaml", None)
