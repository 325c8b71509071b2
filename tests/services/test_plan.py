"""A plan from YAML, and what a person reads when it is wrong."""

from pathlib import Path

import pytest

from services.planner.plans import DEMO
from shared.errors import Refusal
from shared.plan import load_plan

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


def test_all_mistakes_are_told_at_once_with_line_and_key(tmp_path: Path) -> None:
    text = "name: mine\nrows: 0\nsubjects:\n  mathmatics: {wieght: 2}\n  physics: {weight: -1}\nsolving:\n  trace: 2\n"
    assert mistakes(tmp_path, text) == [
        "2: rows: should be greater than or equal to 1 (it is 0)",
        "4: subjects.mathmatics: unknown subject; did you mean mathematics? Or say what it means with `about:`",
        "4: subjects.mathmatics.wieght: no such key; did you mean weight?",
        "5: subjects.physics.weight: should be greater than 0 (it is -1)",
        "7: solving.trace: no such key; did you mean traces?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "rows: 5\n", ["5: rows: given twice; the first is in line 2"]),
        (GOOD + "  physics: {}\n", ["5: subjects.physics: given twice; the first is in line 4"]),
        (GOOD + "name2: [1\n", ["6: not YAML: expected ',' or ']', but got '<stream end>'"]),
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
            ["5: audits.controls: give the whole path, from /: services run", "5: audits.rate: should be less than"],
        ),
        (
            "name: mine\nrows: 3\nheld_out: {topics: 0.1}\nsubjects:\n  physics: {topics: 2}\n",
            ["1: 'physics' has so few topics that all might be held out: give it more, or hold out fewer"],
        ),
        ("- a\n- b\n", ["1: a plan is a mapping with name, rows and subjects"]),
        ("", ["1: a plan is a mapping with name, rows and subjects"]),
        ("name: a\nrows: 3\nsubjects:\n", ["3: subjects: should be a valid dictionary (it is None)"]),
        ("name: a\nrows: 3\nsubjects: {}\n", ["3: subjects: Dictionary should have at least 1 item"]),
        (
            "name: a\nrows: 3\nsubjects: {7: {}}\n",
            ["3: subjects.7: should be", "3: subjects.7: unknown"],
        ),
        ("name: a\x00\n", ["1: not YAML: unacceptable character"]),
        ("? [a, b]\n: 1\n", ["1: not YAML: found unhashable key"]),
        (GOOD.replace("{}", ""), ["4: subjects.physics: should be a valid dictionary"]),
        (GOOD.replace("physics", "music"), ["4: subjects.music: unknown subject; there are mathematics, physics"]),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
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
