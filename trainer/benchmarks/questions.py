"""Reads the questions of a benchmark from the user's file. A file that does not match the descriptor is refused."""

import random
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.identity import content_hash
from shared.errors import Refusal
from shared.text.benchmarks import read_rows
from trainer.benchmarks.descriptor import Benchmark
from trainer.example import Example
from trainer.metrics.multiple_choice import LETTER

Row = Mapping[str, Any]
BENCHMARK = "benchmark"
"""Split of the questions; no training uses it."""
OPTIONS = "\n\n"


def read_questions(name: str, benchmark: Benchmark, path: Path, seed: int) -> list[Example]:
    """Read the questions. Raises Refusal when the file is unreadable, lacks a column or has the wrong length."""
    rows = read_rows(path, f"the file of {benchmark.title}", f"evaluate.benchmarks.{name} in the recipe")
    _check_columns(name, benchmark, path, rows)
    if benchmark.without:
        rows = [row for row in rows if not row.get(benchmark.without)]
    examples = [_to_example(benchmark, row, seed) for row in rows]
    distinct = len({example.id for example in examples})
    if (len(examples), distinct) != (benchmark.n, benchmark.n):
        raise Refusal(
            f"{path} has {len(examples)} questions, {distinct} of them different; {benchmark.title} has {benchmark.n}",
            f"Use the complete file of {benchmark.source}, without duplicates",
        )
    return examples


def _check_columns(name: str, benchmark: Benchmark, path: Path, rows: list[dict[str, Any]]) -> None:
    required = (benchmark.question, benchmark.answer, *benchmark.wrong, benchmark.group, benchmark.without)
    expected = {*required, benchmark.letters.column if benchmark.letters else None} - {None}
    present = {key for row in rows for key in row}
    if missing := {str(column) for column in expected - present}:
        raise Refusal(
            f"{path} has no column {', '.join(sorted(missing))}; its columns: {', '.join(sorted(present)) or 'none'}",
            f"Take the file of {benchmark.source}, or describe your own in place of {name}",
        )


def _to_example(benchmark: Benchmark, row: Row, seed: int) -> Example:
    problem, answer = _text(row, benchmark.question), _text(row, benchmark.answer)
    id_ = content_hash(problem)[:16]
    if benchmark.wrong:
        options = [answer, *(_text(row, column) for column in benchmark.wrong)]
        problem, answer = format_options(problem, options, f"{seed}/{id_}")
    is_multiple_choice = (
        benchmark.letters is not None and _text(row, benchmark.letters.column) == benchmark.letters.value
    )
    return Example(
        id=id_,
        subject=benchmark.title,
        field="",
        subfield=_text(row, benchmark.group) if benchmark.group else "",
        topic="",
        problem=problem,
        answer=answer,
        answer_type=LETTER if is_multiple_choice or benchmark.grader == "letter" else "",
        reasoning="",
        solution="",
        difficulty=None,
        views=[],
        admission="",
        split=BENCHMARK,
        row_hash=id_,
        simulated=None,
    )


def format_options(question: str, options: list[str], seed: str) -> tuple[str, str]:
    """Return the question with its options shuffled, and the letter of the first given option."""
    order = random.Random(seed).sample(range(len(options)), len(options))  # noqa: S311 - a seeded shuffle
    lines = [
        f"{letter}. {' '.join(options[at].split())}" for letter, at in zip(string.ascii_uppercase, order, strict=False)
    ]
    instruction = "Answer with the letter of the right option."
    return question + OPTIONS + "\n".join([*lines, "", instruction]), string.ascii_uppercase[order.index(0)]


def strip_options(problem: str) -> str:
    """Return the question without the options that were added: the text that a row may contain."""
    return problem.partition(f"{OPTIONS}A. ")[0]


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()
