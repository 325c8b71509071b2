"""The forms in which solved problems are published, recognised by their columns, and read as problems with keys.

    form = recognise(fields)              of the first record; None for columns that no form has
    found = read_problem(fields, form)    a problem, or the reason why the record is none

A form is data: the columns that it must have, and which column holds what. The first form whose columns are all there,
and whose test holds, is taken; so special forms stand before general ones.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from schemas.item import ANSWER_TYPES
from shared.answers.extract import final_answer
from shared.answers.number import read_number
from shared.dataset.records.chat import as_text
from shared.dataset.records.solved import split_trace
from shared.llm.sanitize import without_blank_lines

Fields = Mapping[str, Any]

_HASHES = re.compile(r"\n####\s*(\S[^\n]*?)\s*$")
_FORMULA = re.compile(r"[\\^_=+*/<>(){}\[\]$|]|\d")
_OPTIONS = ("options", "choices", "choice_a", "A")
"""Columns of multiple choice."""
_KIND = ("question_type", "answer_type")
_CHOICE = ("MCQ", "Multiple Choice", "multiple_choice", "multiple choice", "multipleChoice")
"""Values of those columns that mean multiple choice."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each part of a problem; `a.b` is the column b inside a. `None`: there is no such column."""

    problem: str
    answer: str | None = None
    """The key; `None`: the last box of the solution, or of the assistant's message."""
    solution: str | None = None
    """A solution, perhaps with its thinking in `<think>`."""
    thinking: str | None = None
    """The thinking, when it has a column of its own."""
    rationale: str | None = None
    """A short solution."""
    subject: str | None = None
    topic: str | None = None
    answer_type: str | None = None

    def named(self) -> dict[str, str]:
        """The parts that have a column."""
        return {one.name: name for one in fields(self) if (name := getattr(self, one.name))}


@dataclass(frozen=True, slots=True)
class Form:
    """One published form."""

    name: str
    columns: Columns
    requires: tuple[str, ...]
    """Columns by which it is recognised."""
    test: Callable[[Fields], bool] = lambda _: True
    """What else the first record must be."""
    key: Callable[[str], str | None] = str.strip
    """Reads the key from its column."""


@dataclass(frozen=True, slots=True)
class PublishedProblem:
    """A problem with its key, as a file has it."""

    problem: str
    answer: str
    answer_type: str
    rationale: str = ""
    reasoning: str = ""
    """The thinking of its own solution; empty without one."""
    solution: str = ""
    """Its own solution; empty without one."""
    subject: str = ""
    topic: str = ""


def _after_hashes(text: str) -> str | None:
    match = _HASHES.search(text)
    return match[1] if match else None


def _is_gsm8k(record: Fields) -> bool:
    return isinstance(record["answer"], str) and _after_hashes(record["answer"]) is not None


_REASONED = Columns("question", "answer", "solution", rationale="original_solution", subject="subject", topic="topic")

FORMS = (
    Form("chimera", _REASONED, ("question", "answer", "solution", "original_solution")),
    Form(
        "chimera-rows",
        Columns("problem", "answer", "solution", "reasoning", "rationale", "subject", "topic", "answer_type"),
        ("problem", "answer", "solution", "reasoning", "rationale", "subject", "topic", "answer_type"),
    ),
    Form(
        "verl",
        Columns("prompt", "reward_model.ground_truth", subject="ability"),
        ("prompt", "reward_model"),
    ),
    Form(
        "openmathreasoning",
        Columns("problem", "expected_answer", "generated_solution"),
        ("problem", "expected_answer", "generated_solution"),
    ),
    Form(
        "deepmath",
        Columns("question", "final_answer", "r1_solution_1", topic="topic"),
        ("question", "final_answer", "r1_solution_1"),
    ),
    Form(
        "s1k",
        Columns("question", "solution", "deepseek_attempt", "deepseek_thinking_trajectory", subject="cot_type"),
        ("question", "solution", "deepseek_attempt", "deepseek_thinking_trajectory"),
    ),
    Form(
        "openr1-math",
        Columns("problem", "answer", rationale="solution", topic="problem_type"),
        ("problem", "answer", "solution", "generations"),
    ),
    Form(
        "numinamath",
        Columns("problem", "answer", rationale="solution", topic="problem_type"),
        ("problem", "answer", "solution", "problem_type"),
    ),
    Form(
        "math-500",
        Columns("problem", "answer", rationale="solution", topic="subject"),
        ("problem", "answer", "solution", "level", "unique_id"),
    ),
    Form(
        "omni-math",
        Columns("problem", "answer", rationale="solution"),
        ("problem", "answer", "solution", "domain", "difficulty"),
    ),
    Form("math", Columns("problem", rationale="solution", topic="type"), ("problem", "solution", "level", "type")),
    Form("big-math", Columns("problem", "answer"), ("problem", "answer", "llama8b_solve_rate")),
    Form(
        "webinstruct",
        Columns("question", "answer", topic="category"),
        ("question", "answer", "category", "answer_type"),
    ),
    Form("aime", Columns("Problem", "Answer", rationale="Solution"), ("Problem", "Answer")),
    Form("theoremqa", Columns("Question", "Answer"), ("Question", "Answer")),
    Form("gsm8k", Columns("question", "answer", rationale="answer"), ("question", "answer"), _is_gsm8k, _after_hashes),
    Form(
        "question-solution",
        Columns("question", "answer", "solution", subject="subject", topic="topic"),
        ("question", "answer", "solution"),
    ),
    Form(
        "problem-solution",
        Columns("problem", "answer", "solution", subject="subject", topic="topic"),
        ("problem", "answer", "solution"),
    ),
    Form("question-answer", Columns("question", "answer", subject="subject", topic="topic"), ("question", "answer")),
    Form("problem-answer", Columns("problem", "answer", subject="subject", topic="topic"), ("problem", "answer")),
    Form("question-final-answer", Columns("question", "final_answer"), ("question", "final_answer")),
    Form("problem-expected-answer", Columns("problem", "expected_answer"), ("problem", "expected_answer")),
    Form("messages", Columns("messages", solution="messages"), ("messages",)),
    Form("conversations", Columns("conversations", solution="conversations"), ("conversations",)),
    Form("prompt-completion", Columns("prompt", solution="completion"), ("prompt", "completion")),
)
"""Most special first."""


def recognise(record: Fields) -> Form | None:
    """Return the form of a record; `None` when its columns are those of no form."""
    return next((form for form in FORMS if record.keys() >= set(form.requires) and form.test(record)), None)


def read_problem(record: Fields, form: Form) -> PublishedProblem | str:
    """Return the problem of a record, or why it is none."""
    columns = form.columns
    if any(record.get(name) for name in _OPTIONS) or any(record.get(name) in _CHOICE for name in _KIND):
        return "multiple choice"
    problem = as_text(_value(record, columns.problem))
    if problem is None or not problem.strip():
        return f"no problem in the column {columns.problem}"
    given = _solution(record, columns)
    if isinstance(given, str):
        return given
    reasoning, solution = given
    key = _key(record, form, solution)
    if not key:
        where = f"the column {columns.answer}" if columns.answer else "a box of its solution"
        return f"no key in {where}"
    rationale = _text(record, columns.rationale)
    key = final_answer(key) or key if r"\boxed" in key else key
    return PublishedProblem(
        problem=without_blank_lines(problem),
        answer=key,
        answer_type=_answer_type(_text(record, columns.answer_type), key),
        rationale=rationale,
        reasoning=reasoning,
        solution=solution,
        subject=_text(record, columns.subject),
        topic=_text(record, columns.topic),
    )


def _value(record: Fields, path: str | None) -> Any:
    value: Any = record
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if path else None


def _text(record: Fields, path: str | None) -> str:
    value = _value(record, path)
    return value.strip() if isinstance(value, str) else ""


def _solution(record: Fields, columns: Columns) -> tuple[str, str] | str:
    """Return thinking and solution, both empty without one; or why the column cannot be read."""
    value = _value(record, columns.solution)
    text = _assistant(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
    if text is not None and not isinstance(text, str):
        return f"the column {columns.solution} is not text"
    thinking = _text(record, columns.thinking)
    if thinking:
        return thinking, (text or "").strip()
    return split_trace(text or "") or ("", (text or "").strip())


def _assistant(messages: Sequence[Any]) -> str | None:
    """Return the text of the only message of an assistant."""
    texts = [
        text
        for one in messages
        if isinstance(one, Mapping) and (one.get("role") or one.get("from")) in ("assistant", "gpt")
        if isinstance(text := one.get("content") or one.get("value"), str)
    ]
    return texts[0] if len(texts) == 1 else None


def _key(record: Fields, form: Form, solution: str) -> str | None:
    if form.columns.answer is None:
        return final_answer(solution or _text(record, form.columns.rationale))
    value = _value(record, form.columns.answer)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return form.key(value) if isinstance(value, str) else None


def _answer_type(given: str, key: str) -> str:
    """Return the type that the file states, when it is one of ours; otherwise one by the form of the key."""
    stated = given.casefold().replace(" ", "_")
    if stated in ANSWER_TYPES:
        return stated
    if read_number(key) is not None:
        return "number"
    return "expression" if _FORMULA.search(key) else "text"
