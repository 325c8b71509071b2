"""Problems of published datasets: each form is recognised by its columns, and read without a word from its user."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shared.dataset.records import Record, read_records, record_files
from shared.dataset.records.forms import recognise
from shared.dataset.records.published import PublishedProblem, read_problem
from shared.errors import Refusal

TRACE = "<think>\nSix times seven.\n</think>\n\nSo \\boxed{42}."
SOLVED = {"reasoning": "Six times seven.", "solution": "So \\boxed{42}."}
CHAT = [{"role": "user", "content": "6*7?"}, {"role": "assistant", "content": TRACE}]
SHARED = [{"from": "human", "value": "6*7?"}, {"from": "gpt", "value": TRACE}]
AS_P = {"problem": "6*7?", "answer": "42"}
AS_Q = {"question": "6*7?", "answer": "42"}

SAMPLES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "chimera": (
        {"index": 0, "subject": "mathematics", "topic": "products", **AS_Q, "solution": TRACE}
        | {"original_solution": "Known.", "correctness": True},
        {**SOLVED, "subject": "mathematics", "topic": "products", "rationale": "Known."},
    ),
    "verl": (
        {"data_source": "x", "prompt": CHAT[:1], "ability": "math", "reward_model": {"ground_truth": "42"}},
        {"subject": "math"},
    ),
    "openmathreasoning": (
        {"problem": "6*7?", "expected_answer": "42", "generated_solution": TRACE, "problem_source": "x"},
        SOLVED,
    ),
    "deepmath": (
        {"question": "6*7?", "final_answer": "42", "difficulty": 3.0, "topic": "products", "r1_solution_1": TRACE},
        {**SOLVED, "topic": "products"},
    ),
    "s1k": (
        {"question": "6*7?", "solution": "42", "cot_type": "math", "deepseek_thinking_trajectory": "Six times seven."}
        | {"deepseek_attempt": "So \\boxed{42}."},
        {**SOLVED, "subject": "math"},
    ),
    "openr1-math": (
        {**AS_P, "solution": "Known.", "problem_type": "Algebra", "question_type": "math-word-problem"}
        | {"generations": [TRACE]},
        {"rationale": "Known.", "topic": "Algebra"},
    ),
    "numinamath": (
        {**AS_P, "solution": "Known.", "problem_type": "Algebra", "question_type": "math-word-problem"},
        {"rationale": "Known.", "topic": "Algebra"},
    ),
    "math-500": (
        {**AS_P, "solution": "Known.", "subject": "Algebra", "level": 2, "unique_id": "x"},
        {"rationale": "Known.", "topic": "Algebra"},
    ),
    "omni-math": (
        {**AS_P, "solution": "Known.", "domain": ["x"], "difficulty": 5.0, "source": "y"},
        {"rationale": "Known."},
    ),
    "math": (
        {"problem": "6*7?", "solution": "It is \\boxed{42}.", "level": "Level 1", "type": "Algebra"},
        {"rationale": "It is \\boxed{42}.", "topic": "Algebra"},
    ),
    "big-math": ({**AS_P, "source": "x", "domain": ["y"], "llama8b_solve_rate": 0.5}, {}),
    "webinstruct": ({**AS_Q, "category": "Physics", "answer_type": "Integer"}, {"topic": "Physics"}),
    "aime": ({"ID": "1", "Problem": "6*7?", "Solution": "Known.", "Answer": 42}, {"rationale": "Known."}),
    "theoremqa": ({"Question": "6*7?", "Answer": "42", "Answer_type": "integer"}, {}),
    "gsm8k": ({"question": "6*7?", "answer": "Known.\n#### 42"}, {"rationale": "Known.\n#### 42"}),
    "question-solution": ({**AS_Q, "solution": TRACE}, SOLVED),
    "problem-solution": ({**AS_P, "solution": "So \\boxed{42}."}, {"solution": "So \\boxed{42}."}),
    "question-answer": (AS_Q, {}),
    "problem-answer": ({**AS_P, "answer": 42}, {}),
    "question-final-answer": ({"question": "6*7?", "final_answer": "\\boxed{42}"}, {}),
    "problem-expected-answer": ({"problem": "6*7?", "expected_answer": " 42 "}, {}),
    "messages": ({"messages": CHAT}, SOLVED),
    "conversations": ({"conversations": SHARED}, SOLVED),
    "prompt-completion": ({"prompt": CHAT[:1], "completion": CHAT[1:]}, SOLVED),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_published_form_is_imported_without_options(name: str) -> None:
    record, parts = SAMPLES[name]
    form = recognise(record)
    assert form is not None
    assert form.name == name
    assert read_problem(record, form) == PublishedProblem("6*7?", "42", "number", **parts)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**AS_P, "answer": ""}, "no key in the column answer"),
        ({**AS_P, "answer": None}, "no key in the column answer"),
        ({**AS_P, "answer": True}, "no key in the column answer"),
        ({**AS_P, "problem": " "}, "no problem in the column problem"),
        ({**AS_P, "problem": 5}, "no problem in the column problem"),
        ({**AS_P, "choices": ["41", "42"]}, "multiple choice"),
        ({**AS_P, "question_type": "MCQ"}, "multiple choice"),
        ({**AS_P, "solution": 5}, "the column solution is not text"),
        ({"question": "6*7?", "answer": "x\n#### 42", "options": {"A": "1"}}, "multiple choice"),
        ({"messages": CHAT[:1]}, "no key in a box of its solution"),
    ],
)
def test_a_record_without_problem_or_key_has_a_reason(record: dict[str, Any], reason: str) -> None:
    form = recognise(record)
    assert form is not None
    assert read_problem(record, form) == reason


def test_columns_of_no_known_form_are_not_guessed() -> None:
    assert recognise({"text": "6*7? 42"}) is None
    assert recognise({"input": "6*7?", "output": "42"}) is None


def test_a_hub_folder_gives_its_training_files_only(tmp_path: Path) -> None:
    table = pa.table({"problem": ["6*7?"], "answer": ["42"]})
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        path = str(tmp_path / split / "data-00000-of-00001.arrow")
        with pa.OSFile(path, "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        (tmp_path / split / "state.json").write_text("{}")
    (tmp_path / "README.md").write_text("# A card")
    [file] = record_files(tmp_path)
    assert [*read_records(file)] == [Record(1, {"problem": "6*7?", "answer": "42"})]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refusal, match="no file of records"):
        record_files(tmp_path / "empty")
