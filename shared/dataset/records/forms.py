"""The forms in which solved problems are published, recognised by their columns.

A form is data: the columns that it must have, and which column holds what. The first form whose columns are all there,
and whose test holds, is taken; so special forms stand before general ones.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

Fields = Mapping[str, Any]

_HASHES = re.compile(r"\n####\s*(\S[^\n]*?)\s*$")


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
