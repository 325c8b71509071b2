"""Reads a record in a published form as a problem with its key.

form = recognise(fields)              of the first record; None for columns that no form has (forms.py)
found = read_problem(fields, form)    a problem, or the reason why the record is none
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.item import ANSWER_TYPES
from shared.answers.extract import final_answer
from shared.answers.number import read_number
from shared.dataset.records.chat import as_text
from shared.dataset.records.forms import Columns, Fields, Form
from shared.dataset.records.solved import split_trace
from shared.llm.sanitize import without_blank_lines

_FORMULA = re.compile(r"[\\^_=+*/<>(){}\[\]$|]|\d")
_OPTIONS = ("options", "choices", "choice_a", "A")
"""Columns of multiple choice."""
_KIND = ("question_type", "answer_type")
_CHOICE = ("MCQ", "Multiple Choice", "multiple_choice", "multiple choice", "multipleChoice")
"""Values of those columns that mean multiple choice."""


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
